import { NavLink } from "react-router";
import { useSession } from "~/api/session";
import { SHELL } from "~/i18n/catalogues";
import { useWords } from "~/i18n/words";
import { GROUPS, PAGES, type PageName } from "./pages";
import classes from "./Shell.module.css";

const NAMES = Object.keys(PAGES) as PageName[];

/** The pages that the role may see anything of. */
export function Navigation() {
  const t = useWords(SHELL);
  const { rights } = useSession();
  return GROUPS.map((group) => {
    const names = NAMES.filter((name) => PAGES[name].group === group && rights.includes(PAGES[name].right));
    if (!names.length) return null;
    return (
      <div key={group}>
        <div className={classes.group} id={`nav-${group}`}>
          {t(group)}
        </div>
        <ul className={classes.list} aria-labelledby={`nav-${group}`}>
          {names.map((name) => {
            const { icon: Icon, path } = PAGES[name];
            return (
              <li key={name}>
                <NavLink to={path} end={path === "/"} className={classes.link}>
                  <Icon size={18} stroke={1.7} aria-hidden />
                  {t(name)}
                </NavLink>
              </li>
            );
          })}
        </ul>
      </div>
    );
  });
}
