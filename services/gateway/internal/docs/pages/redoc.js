document.body.style.margin = "0";
const font = "system-ui, sans-serif";
Redoc.init("/openapi.json", {
  expandResponses: "200,201,202",
  theme: { typography: { fontFamily: font, headings: { fontFamily: font } } },
}, document.getElementById("redoc"));
