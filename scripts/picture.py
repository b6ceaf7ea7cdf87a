"""Takes the picture of the console that the README shows: ``make picture``."""

import json
import time
from pathlib import Path

from farhand.kits import browser
from farhand.kits.stack import Options, Robot, Stack

TARGET = Path("docs/images/console.png")
SIZE = {"width": 1280, "height": 960}
DRIVE_S = 1.2
UNFOLD_S = 2.0
"""The shoulder goes down and the elbow up for so long: the hand comes before the camera."""


def main() -> None:
    """Drive a little, unfold the arm and take the picture."""
    options = Options(robots=(Robot("sim-rover", "sim-rover"),), sim_arguments=["--clock"])
    settings = json.dumps(json.dumps({"name": "ana", "language": "en", "theme": "dark"}))
    with (
        Stack(options) as stack,
        browser.playwright() as driver,
        browser.chromium(driver) as chromium,
    ):
        page = chromium.new_context(viewport=SIZE, color_scheme="dark").new_page()
        page.add_init_script(f"localStorage.setItem('farhand.settings', {settings})")
        page.goto(f"{stack.url}/drive/sim-rover")
        browser.wait_in_page(
            page, "() => document.querySelector('[data-testid=main-camera]')?.videoWidth"
        )
        page.get_by_test_id("take-control").click()
        time.sleep(1)
        page.keyboard.down("w")
        time.sleep(DRIVE_S)
        page.keyboard.up("w")
        page.keyboard.press("m")  # on to the joints
        time.sleep(0.5)
        for key in "six":  # shoulder down, elbow up, gripper open
            page.keyboard.down(key)
        time.sleep(UNFOLD_S)
        page.screenshot(path=str(TARGET))


if __name__ == "__main__":
    main()
