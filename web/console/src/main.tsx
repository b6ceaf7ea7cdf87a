import { createRoot } from "react-dom/client";
import { App } from "./app.tsx";
import { takeFragment } from "./fragment.ts";
import { startI18n } from "./i18n/index.ts";
import { startTheme } from "./theme.ts";
import "./styles/theme.css";
import "./styles/base.css";
import "./styles/shell.css";
import "./styles/fleet.css";
import "./styles/drive.css";
import "./styles/stage.css";
import "./styles/panels.css";
import "./styles/account.css";

takeFragment();
startTheme();
startI18n();
const root = document.getElementById("root");
if (root !== null) createRoot(root).render(<App />);
