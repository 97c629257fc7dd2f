// Martlet's own: begins and ends a session in which $LATEST of a function runs under a debugger.
import MartletCore
import MartletWire

extension MartletOperations {
  enum PutFunctionDebugging: Operation {
    static let route = Route.rest("Martlet.PutFunctionDebugging", .put, "/_martlet/functions/{FunctionName}/debugging")

    struct Input: Readable {
      let name: FunctionNameParts?
      let port: Int

      init(_ r: Reader) throws(AWSError) {
        name = r.functionName(.unqualified)
        port = try r.smallBody("PutFunctionDebugging").integer("Port", in: 0...65535) ?? 0
      }
    }

    struct Output: Writable {
      let port: Int
      let debugger: String

      func write(to w: inout Writer) {
        w.body {
          $0.member("Address", "127.0.0.1")
          $0.member("Port", port)
          $0.member("Debugger", debugger)
        }
      }
    }

    static func answer(_ input: Input, _ call: Call, _ lambda: LambdaService) async throws(AWSError) -> Output {
      guard let debugging = lambda.line.debugging else { throw .notImplemented("PutFunctionDebugging") }
      let found = try lambda.function(input.name, call)
      let latest = try lambda.record(found).latest
      let family = RuntimeCatalog.identifier(latest.runtime ?? "")?.family
      guard family == .python || family == .nodejs else {
        throw .invalidParameter(
          "Functions in Python and Node.js can be debugged, and none of \(latest.runtime ?? "?").")
      }
      let port = try await debugging.begin(found.key, port: input.port)
      return Output(port: port, debugger: family == .python ? "debugpy" : "inspector")
    }
  }

  enum DeleteFunctionDebugging: Operation {
    static let route = Route.rest(
      "Martlet.DeleteFunctionDebugging", .delete, "/_martlet/functions/{FunctionName}/debugging", status: 204)

    struct Input: Readable {
      let name: FunctionNameParts?

      init(_ r: Reader) throws(AWSError) { name = r.functionName(.unqualified) }
    }

    typealias Output = Empty

    static func answer(_ input: Input, _ call: Call, _ lambda: LambdaService) async throws(AWSError) -> Output {
      let reference = try lambda.reference(input.name, qualifier: nil, call)
      guard lambda.line.debugging?.end(reference.key) == true else { throw .functionNotFound(reference.arn) }
      return Output()
    }
  }
}
