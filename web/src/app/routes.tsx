import { createBrowserRouter, useRouteError } from "react-router";
import { Broken } from "./Boundary";
import { NotFound } from "./NotFound";
import { PAGES } from "./pages";
import { Root } from "./Root";

function Failed() {
  return <Broken error={useRouteError()} />;
}

/** One route for each page and what is below it; the page's code is fetched when it is first opened. */
export function newRouter() {
  const pages = Object.values(PAGES).map((page) => ({
    path: page.path === "/" ? "/" : `${page.path}/*`,
    lazy: async () => ({ Component: (await page.load()).default }),
    errorElement: <Failed />,
  }));
  return createBrowserRouter([
    {
      element: <Root />,
      errorElement: <Failed />,
      hydrateFallbackElement: <div />,
      children: [...pages, { path: "*", element: <NotFound /> }],
    },
  ]);
}
