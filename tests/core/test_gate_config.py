"""The gate's numbers."""

from farhand.core.gate_config import GateConfig


def test_the_defaults_keep_the_promise_of_300_ms() -> None:
    config = GateConfig()
    assert (config.max_age_us, config.watchdog_us, config.promise_us) == (150_000, 260_000, 300_000)
    assert config.heard_us == 500_000
    assert config.relayed_heard_us == 200_000
    assert config.speed_cap == 1
    assert not config.unlatch_on_grant


def test_a_long_link_costs_speed() -> None:
    config = GateConfig(max_age_us=150_001)
    assert config.speed_cap == 0.3
    assert GateConfig(max_age_us=400_000).promise_us == 550_000
