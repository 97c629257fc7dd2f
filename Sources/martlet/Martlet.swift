// The command line: one file per verb.
import ArgumentParser
import MartletServer

@main
struct Martlet: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "martlet",
    abstract: "AWS Lambda's API and behaviour on your own Linux machine: no Docker, no account, real sandboxes.",
    discussion: """
      Start a server with `martlet serve`, then use boto3, the aws CLI or the verbs below against http://127.0.0.1:4566.
      """,
    version: MartletVersion.text,
    subcommands: [
      Serve.self, Clock.self, Invoke.self, Function.self, Logs.self, Trace.self, Top.self, Cost.self, Tune.self,
      Event.self, Explain.self, Debug.self,
      Runtime.self, Doctor.self,
    ])
}
