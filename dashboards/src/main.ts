// Writes the Grafana dashboards: `node dashboards/dist/main.js FOLDER` writes FOLDER/dashboards/*.json.
export {};
