// `martlet event`: samples of the events that AWS's services send to functions.
import ArgumentParser
import FoundationEssentials
import MartletCore
import MartletServer
import MartletWire

struct Event: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Make sample events, like the ones that AWS's services send.",
    discussion: """
      martlet event list
      martlet event generate s3 put --bucket photos --key cat.jpg | martlet invoke thumbnails --payload -
      """,
    subcommands: [EventGenerate.self, EventList.self])
}

struct EventList: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "List the events that there are samples of.")

  @Argument(help: "Only those of this source, such as s3.")
  var source: String?

  @Option(help: "text or json.")
  var output = OutputFormat.text

  func run() throws {
    let events = SampleEvent.all.filter { source == nil || $0.source == source }
    guard !events.isEmpty else { throw ValidationError(Event.unknown(source ?? "")) }
    switch output {
    case .text:
      Console.say(Console.table([["SOURCE", "TYPE", "WHAT"]] + events.map { [$0.source, $0.type, $0.abstract] }))
    case .json:
      let list = events.map { event in
        JSONValue.members(
          ("Source", .string(event.source)), ("Type", .string(event.type)), ("What", .string(event.abstract)),
          (
            "Options",
            .array(
              (event.fields + SampleEvent.common).map { field in
                .members(
                  ("Name", .string(field.name)), ("Default", .string(field.usual)), ("What", .string(field.help)))
              })
          ))
      }
      Console.say(JSONValue.array(list).pretty)
    }
  }
}

/// Its options depend on the event, so it reads them itself.
struct EventGenerate: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "generate", abstract: "Print a sample event as JSON.",
    usage: "martlet event generate <source> <type> [--<option> <value> ...] [--compact]",
    discussion: "martlet event generate <source> <type> --help shows the options of an event.")

  @Argument(parsing: .captureForPassthrough)
  var words: [String] = []

  func run() throws {
    let names = words.prefix { !$0.hasPrefix("-") }
    let wantsHelp = words.contains { $0 == "--help" || $0 == "-h" }
    guard names.count == 2, let source = names.first, let type = names.last else {
      if wantsHelp || names.isEmpty { throw CleanExit.message(Event.help) }
      throw ValidationError(
        names.count == 1 ? Event.unknown(names[0], "") : "Say a source and a type, and then options.")
    }
    guard let event = SampleEvent.find(source, type) else { throw ValidationError(Event.unknown(source, type)) }
    if wantsHelp { throw CleanExit.message(Event.help(event)) }
    let options = try EventGenerate.options(words.dropFirst(2))
    var values = options.values
    var moment = RealWorld().now()
    if let text = values["time"] {
      guard let date = try? Date(text, strategy: .iso8601) else {
        throw ValidationError("--time: \(text) is not of the form 2027-01-01T00:00:00Z")
      }
      moment = Timestamp(milliseconds: Int64(date.timeIntervalSince1970 * 1000))
      values["time"] = ""
    }
    do throws(SampleFlaw) {
      let json = try event.make(values, at: moment, RealWorld())
      Console.say(options.isCompact ? json.text : json.pretty)
    } catch {
      throw ValidationError("\(error)")
    }
  }

  /// `--name value`, `--name=value`; a value `@FILE` is what is in the file.
  static func options(_ words: ArraySlice<String>) throws -> (values: [String: String], isCompact: Bool) {
    var values: [String: String] = [:]
    var isCompact = false
    var rest = words
    while let word = rest.popFirst() {
      if word == "--compact" {
        isCompact = true
        continue
      }
      guard word.hasPrefix("--"), word.count > 2 else { throw ValidationError("\(word) is not an option") }
      let parts = word.dropFirst(2).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      let name = String(parts[0])
      guard let value = parts.count > 1 ? String(parts[1]) : rest.popFirst() else {
        throw ValidationError("--\(name) needs a value")
      }
      values[name] = try content(value, of: name)
    }
    return (values, isCompact)
  }

  private static func content(_ value: String, of name: String) throws -> String {
    guard value.hasPrefix("@") else { return value }
    let path = String(value.dropFirst())
    guard let data = FileManager.default.contents(atPath: path) else {
      throw ValidationError("--\(name): \(path) cannot be read")
    }
    return String(decoding: data, as: UTF8.self)
  }
}

extension Event {
  fileprivate static func unknown(_ source: String, _ type: String? = nil) -> String {
    let types = SampleEvent.all.filter { $0.source == source }.map(\.type)
    guard !types.isEmpty else {
      var sources: [String] = []
      for event in SampleEvent.all where !sources.contains(event.source) { sources.append(event.source) }
      return "There are no samples of \(source). There are some of \(sources.joined(separator: ", "))."
    }
    return "There is no sample \(source) \(type ?? ""). There are \(types.joined(separator: ", "))."
  }

  fileprivate static var help: String {
    let events = SampleEvent.all.map { ["  \($0.source) \($0.type)", $0.abstract] }
    return """
      OVERVIEW: Print a sample event as JSON.

      USAGE: martlet event generate <source> <type> [--<option> <value> ...] [--compact]

      martlet event generate <source> <type> --help shows the options of an event.

      EVENTS:
      \(Console.table(events))
      """
  }

  fileprivate static func help(_ event: SampleEvent) -> String {
    let options = (event.fields + SampleEvent.common).map { field in
      ["  --\(field.name)", field.usual.isEmpty ? field.help : "\(field.help) Default: \(field.usual)"]
    }
    return """
      OVERVIEW: \(event.abstract)

      USAGE: martlet event generate \(event.source) \(event.type) [--<option> <value> ...]

      OPTIONS: (a value @FILE is what is in the file)
      \(Console.table(options + [["  --compact", "On one line."]]))
      """
  }
}
