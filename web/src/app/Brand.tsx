import { Link } from "react-router";
import classes from "./Shell.module.css";

export function Mark({ size = 26 }: { size?: number }) {
  return <img src="/assets/mark.svg" width={size} height={size} alt="" />;
}

export function Brand() {
  return (
    <Link to="/" className={classes.brand}>
      <Mark />
      Tidegate
    </Link>
  );
}
