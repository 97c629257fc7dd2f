// `martlet function`: create, list, get and delete functions.
import ArgumentParser
import FoundationEssentials
import MartletCore
import MartletWire
import NIOCore

struct Function: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Create, list, show and delete functions.",
    subcommands: [FunctionCreate.self, FunctionList.self, FunctionGet.self, FunctionDelete.self])
}

struct FunctionCreate: WaitingCommand {
  static let configuration = CommandConfiguration(
    commandName: "create", abstract: "Create a function from a zip file or a directory.")

  @Argument(help: "Name of the function.")
  var name: String

  @Option(help: "Zip file with the code.")
  var zip: String?

  @Option(
    help: ArgumentHelp(
      "Directory with the code, instead of a zip file. Invocations of $LATEST run what lies there when they begin.",
      valueName: "directory"))
  var watch: String?

  @Option(help: "Runtime identifier, such as python3.12 (see martlet runtime list).")
  var runtime: String

  @Option(help: "Handler, such as app.handler.")
  var handler = "bootstrap"

  @Option(help: "Memory in MB.")
  var memory = 128

  @Option(help: "Time limit in seconds.")
  var timeout = 3

  @Option(name: .customLong("env"), help: "NAME=VALUE, may be repeated.")
  var environment: [String] = []

  @Option(help: "Role ARN, which the function's own calls will have.")
  var role = "arn:aws:iam::000000000000:role/martlet"

  @Option(help: "text or json.")
  var output = OutputFormat.text

  @OptionGroup var server: ServerOptions

  func perform() async throws {
    let code = try self.code()
    var variables: [JSONValue.Member] = []
    for pair in environment {
      guard let mark = pair.firstIndex(of: "=") else {
        throw ValidationError("--env: \(pair) is not of the form NAME=VALUE")
      }
      variables.append(.init(String(pair[..<mark]), .string(String(pair[pair.index(after: mark)...]))))
    }
    var members: [JSONValue.Member] = [
      .init("FunctionName", .string(name)), .init("Runtime", .string(runtime)), .init("Handler", .string(handler)),
      .init("Role", .string(role)), .init("MemorySize", .integer(Int64(memory))),
      .init("Timeout", .integer(Int64(timeout))),
      .init("Code", .object([.init("ZipFile", .string(code.base64EncodedString()))])),
    ]
    if !variables.isEmpty { members.append(.init("Environment", .object([.init("Variables", .object(variables))]))) }
    var body = JSONWriter()
    body.value(.object(members))
    var reply = try await server.call(
      .post, "/2015-03-31/functions", headers: [("Content-Type", "application/json")], body: body.buffer)
    // Ready means that it can be invoked: the server answers before that, as AWS does.
    while (try? JSONValue(parsing: reply.body))?["State"]?.string == "Pending" {
      try await Task.sleep(for: .milliseconds(20))
      reply = try await server.call(.get, "/2015-03-31/functions/\(Percent.encode(name))/configuration")
    }
    let json = try JSONValue(parsing: reply.body)
    if let watch { try await FunctionDirectory.put(watch, of: name, server) }
    switch output {
    case .text: Console.say("\(json["FunctionArn"]?.string ?? name) is \(json["State"]?.string ?? "?")")
    case .json: Console.say(json.pretty)
    }
  }

  private func code() throws -> Data {
    switch (zip, watch) {
    case (let zip?, nil):
      guard let code = FileManager.default.contents(atPath: zip) else {
        throw ValidationError("--zip: \(zip) cannot be read")
      }
      return code
    case (nil, let watch?):
      do throws(Fault) { return Data(try ZipArchive(directory: watch).bytes) } catch {
        throw ValidationError("--watch: \(error)")
      }
    default: throw ValidationError("give either --zip or --watch")
    }
  }
}

struct FunctionList: WaitingCommand {
  static let configuration = CommandConfiguration(commandName: "list", abstract: "List the functions of the region.")

  @Option(help: "text or json.")
  var output = OutputFormat.text

  @OptionGroup var server: ServerOptions

  func perform() async throws {
    var functions: [JSONValue] = []
    var marker: String?
    repeat {
      let query = marker.map { "?Marker=\(Percent.encode($0))" } ?? ""
      let json = try JSONValue(parsing: try await server.call(.get, "/2015-03-31/functions\(query)").body)
      functions += json["Functions"]?.array ?? []
      marker = json["NextMarker"]?.string
    } while marker != nil
    switch output {
    case .json: Console.say(JSONValue.array(functions).pretty)
    case .text:
      let rows = functions.map { f in
        [
          f["FunctionName"]?.string ?? "", f["Runtime"]?.string ?? "-", "\(f["MemorySize"]?.integer ?? 0) MB",
          "\(f["Timeout"]?.integer ?? 0) s", f["LastModified"]?.string ?? "",
        ]
      }
      Console.say(
        rows.isEmpty ? "No functions." : Console.table([["NAME", "RUNTIME", "MEMORY", "TIMEOUT", "MODIFIED"]] + rows))
    }
  }
}

struct FunctionGet: WaitingCommand {
  static let configuration = CommandConfiguration(commandName: "get", abstract: "Show a function's configuration.")

  @Argument(help: "Name or ARN of the function.")
  var name: String

  @Option(help: "text or json.")
  var output = OutputFormat.text

  @OptionGroup var server: ServerOptions

  func perform() async throws {
    let json = try JSONValue(parsing: try await server.call(.get, "/2015-03-31/functions/\(Percent.encode(name))").body)
    switch output {
    case .json: Console.say(json.pretty)
    case .text:
      let rows = (json["Configuration"]?.members ?? []).map { member in
        [member.name, member.value.string ?? compact(member.value)]
      }
      let code = (json["Code"]?.members ?? []).map { ["Code.\($0.name)", $0.value.string ?? compact($0.value)] }
      Console.say(Console.table(rows + code))
    }
  }

  private func compact(_ value: JSONValue) -> String {
    var json = JSONWriter()
    json.value(value)
    return json.text
  }
}

struct FunctionDelete: WaitingCommand {
  static let configuration = CommandConfiguration(
    commandName: "delete", abstract: "Delete a function, or one version of it.")

  @Argument(help: "Name or ARN of the function.")
  var name: String

  @Option(help: "Delete only this version.")
  var qualifier: String?

  @Option(help: "text or json.")
  var output = OutputFormat.text

  @OptionGroup var server: ServerOptions

  func perform() async throws {
    let query = qualifier.map { "?Qualifier=\(Percent.encode($0))" } ?? ""
    _ = try await server.call(.delete, "/2015-03-31/functions/\(Percent.encode(name))\(query)")
    switch output {
    case .text: Console.say("\(name) is deleted")
    case .json: Console.say(JSONValue.object([.init("Deleted", .string(name))]).pretty)
    }
  }
}
