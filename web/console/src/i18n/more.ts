/** The texts of pages that are not there at first: they come with the pages' own code. */

import i18n from "i18next";
import en from "./more.en.json";
import zhCN from "./more.zh-CN.json";

i18n.addResourceBundle("en", "translation", en, true);
i18n.addResourceBundle("zh-CN", "translation", zhCN, true);
