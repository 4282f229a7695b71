import { Navigate, Route, Routes } from "react-router";
import { useSession } from "~/api/session";
import { List } from "./List";
import { One } from "./One";

export default function Tenants() {
  const { role, namespace } = useSession();
  const own = role === "owner" && namespace ? `/tenants/${encodeURIComponent(namespace)}` : undefined;
  return (
    <Routes>
      <Route index element={own ? <Navigate replace to={own} /> : <List />} />
      <Route path=":namespace/:tab?" element={<One />} />
    </Routes>
  );
}
