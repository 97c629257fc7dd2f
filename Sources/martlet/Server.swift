// Speaks to a running server over its public API, as any AWS client would.
import ArgumentParser
import MartletCore
import MartletServer
import MartletWire
import NIOCore
import NIOHTTP1

struct ServerOptions: ParsableArguments {
  @Option(help: "Server to speak to (MARTLET_ENDPOINT or AWS_ENDPOINT_URL; default http://127.0.0.1:4566).")
  var endpoint: String?

  @Option(help: "Region (AWS_REGION; default us-east-1).")
  var region: String?

  /// Of the server, as it was given.
  var address: String {
    let variables = ProcessVariables.all
    return endpoint ?? variables["MARTLET_ENDPOINT"] ?? variables["AWS_ENDPOINT_URL"] ?? "http://127.0.0.1:4566"
  }

  /// One call. Refusals of the server become a line on standard error and exit code 2.
  /// - Parameters:
  ///   - service: the signing name.
  ///   - expected: true of a refusal that is an answer for the caller.
  func call(
    _ method: Route.Method, _ uri: String, headers: [(String, String)] = [], body: ByteBuffer = ByteBuffer(),
    service: String = "lambda", expected: (HTTPReply) -> Bool = { _ in false }
  ) async throws -> HTTPReply {
    let variables = ProcessVariables.all
    let address = address
    guard let parsed = HTTPAddress(address), !parsed.isSecure else {
      throw ValidationError("--endpoint: \(address) is not of the form http://HOST:PORT")
    }
    let region = region ?? variables["AWS_REGION"] ?? variables["AWS_DEFAULT_REGION"] ?? "us-east-1"
    let key = variables["AWS_ACCESS_KEY_ID"] ?? "martlet"
    let scope =
      "AWS4-HMAC-SHA256 Credential=\(key)/20260101/\(region)/\(service)/aws4_request, SignedHeaders=host, Signature=0"
    // A function may take fifteen minutes.
    var patience = HTTPClient.Patience()
    patience.silence = .seconds(1000)
    let reply: HTTPReply
    do {
      reply = try await HTTPClient(parsed, patience: patience).send(
        HTTPMethod(rawValue: method.rawValue), uri, headers: HTTPHeaders(headers + [("Authorization", scope)]),
        body: body)
    } catch {
      try Task.checkCancellation()
      Console.complain("martlet: no server answers at \(address) (\(error)). Start one with: martlet serve")
      throw ExitCode(2)
    }
    guard (200..<300).contains(reply.status) || expected(reply) else {
      let json = try? JSONValue(parsing: reply.body)
      let text = (json?["message"] ?? json?["Message"])?.string ?? String(buffer: reply.body)
      Console.complain(
        "martlet: \(reply.header("x-amzn-ErrorType") ?? json?["__type"]?.string?.split(separator: "#").last.map(String.init) ?? "error") (\(reply.status)): \(text)"
      )
      throw ExitCode(2)
    }
    return reply
  }
}

enum OutputFormat: String, ExpressibleByArgument, CaseIterable { case text, json }

extension JSONValue {
  var pretty: String { PrettyJSON.text(self, indent: 0) }
}

/// JSON for reading.
private enum PrettyJSON {
  static func text(_ value: JSONValue, indent: Int) -> String {
    let pad = String(repeating: " ", count: indent + 2)
    let end = String(repeating: " ", count: indent)
    switch value {
    case .object(let members) where !members.isEmpty:
      let lines = members.map { "\(pad)\(quoted($0.name)): \(text($0.value, indent: indent + 2))" }
      return "{\n\(lines.joined(separator: ",\n"))\n\(end)}"
    case .array(let elements) where !elements.isEmpty:
      return "[\n\(elements.map { pad + text($0, indent: indent + 2) }.joined(separator: ",\n"))\n\(end)]"
    default:
      var json = JSONWriter()
      json.value(value)
      return json.text
    }
  }

  private static func quoted(_ text: String) -> String {
    var json = JSONWriter()
    json.value(text)
    return json.text
  }
}
