// Node: @duckdb/node-api.
import { DuckDBInstance, version } from "@duckdb/node-api";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const { BI_DATABASE, BI_TOP, BI_MACRO, BI_TABLES } = process.env;
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const tell = async (stage) => {
  // BigInt is what a BIGINT comes as: exact, and unknown to JSON
  console.log("BI " + JSON.stringify(stage, (_, value) => (typeof value === "bigint" ? Number(value) : value)));
  await lines.next();
};
const plain = (value) => (value !== null && typeof value === "object" ? value.toString() : value);
const ask = async (con, sql = BI_TOP) => (await (await con.runAndReadAll(sql)).getRows()).map((row) => row.map(plain));
const kind = (value) => (typeof value === "object" ? value.constructor.name : typeof value);

const packages = createRequire(import.meta.url)("@duckdb/node-api/package.json");
let instance = await DuckDBInstance.create(BI_DATABASE, { access_mode: "READ_ONLY" });
let con = await instance.connect();
const [row] = (await con.runAndReadAll(BI_TOP)).getRows();
let refused = "";
try {
  await con.run("create table of_my_own (i integer)");
} catch (error) {
  refused = error.message.split("\n")[0];
}
await tell({
  version: `@duckdb/node-api ${packages.version}, DuckDB ${version()}, Node ${process.versions.node}`,
  setting: 'DuckDBInstance.create("PATH", { access_mode: "READ_ONLY" })',
  tables: (await ask(con, BI_TABLES)).map(([name]) => name), top: await ask(con),
  types: [row[0], row[2], row[4], row[6]].map(kind).join(", "), macro: await ask(con, BI_MACRO), comments: "", refused,
});
await tell({ top: await ask(con) });

const ways = [];
const second = await DuckDBInstance.create(BI_DATABASE, { access_mode: "READ_ONLY" });
const other = await second.connect();
ways.push(["a second DuckDBInstance.create while the first is open", await ask(other)]);
other.closeSync();
second.closeSync();
con.closeSync();
instance.closeSync();
instance = await DuckDBInstance.create(BI_DATABASE, { access_mode: "READ_ONLY" });
con = await instance.connect();
ways.push(["closeSync() both connection and instance, then create", await ask(con)]);
await tell({ ways });
process.exit(0);
