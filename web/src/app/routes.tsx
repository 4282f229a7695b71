import { createBrowserRouter, useRouteError } from "react-router";
import { Broken } from "./Boundary";
import { NotFound } from "./NotFound";
import { type Opened, PAGES } from "./pages";
import { Root } from "./Root";

function Failed() {
  return <Broken error={useRouteError()} />;
}

/** One route for each page and what is below it; the code of others than `opened` is fetched when they are first opened. */
export function newRouter(opened: Opened | undefined) {
  const pages = Object.values(PAGES).map((page) => ({
    path: page.path === "/" ? "/" : `${page.path}/*`,
    ...(page === opened?.page
      ? { Component: opened.code.default }
      : { lazy: async () => ({ Component: (await page.load()).default }) }),
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
