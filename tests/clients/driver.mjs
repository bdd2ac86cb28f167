// Runs calls of the AWS SDK for JavaScript: each line of the standard input is one, each line of the output its answer.
import { createInterface } from "node:readline";
import * as control from "@aws-sdk/client-personalize";
import * as events from "@aws-sdk/client-personalize-events";
import * as runtime from "@aws-sdk/client-personalize-runtime";

const clients = {
  personalize: [control, new control.PersonalizeClient({})],
  "personalize-events": [events, new events.PersonalizeEventsClient({})],
  "personalize-runtime": [runtime, new runtime.PersonalizeRuntimeClient({})],
};

// The SDK takes times as Date only.
const withDates = (key, value) => (key === "sentAt" ? new Date(value * 1000) : value);

for await (const line of createInterface({ input: process.stdin })) {
  const { service, operation, parameters } = JSON.parse(line, withDates);
  const [commands, client] = clients[service];
  let answer;
  try {
    const { $metadata, ...output } = await client.send(new commands[`${operation}Command`](parameters));
    answer = { output };
  } catch (error) {
    answer = { error: error.name, message: error.message };
  }
  console.log(JSON.stringify(answer));
}
