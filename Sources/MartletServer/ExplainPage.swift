// `/_martlet/explain`: why did this event not reach my function? See docs/explain.md.
import MartletCloud
import MartletCore
import MartletLambda
import MartletWire
import NIOCore
import NIOHTTP1

struct ExplainPage: Sendable {
  static let path = "/_martlet/explain"

  let lambda: LambdaService
  let cloud: CloudServices
  let parts: EnvironmentParts
  let defaults: Place

  /// What can be asked for: `?kind=…&name=…`; with an event in the body, a rule is tried with it.
  static let kinds = ["event", "mapping", "notification", "rule", "schedule", "subscription", "function"]

  func answer(_ request: HTTPRequest) async -> HTTPReply {
    func parameter(_ name: String) -> String? { request.queryParameters.first { $0.name == name }?.value }
    guard let kind = parameter("kind"), ExplainPage.kinds.contains(kind), let name = parameter("name"), !name.isEmpty
    else {
      return reply(
        400, .members(("message", .string("Ask for kind=\(ExplainPage.kinds.joined(separator: "|")) and name=…"))))
    }
    var event: JSONValue?
    if request.body.readableBytes > 0 {
      guard let json = try? JSONValue(parsing: request.body) else {
        return reply(400, .members(("message", .string("The event in the body is not JSON."))))
      }
      event = json
    }
    do throws(Fault) {
      guard var found = try await explain(kind, name, event, place(of: request, name)) else {
        return reply(404, .members(("message", .string(ExplainPage.unknown(kind, name)))))
      }
      for call in found.calls { found.append(lambda.explain(call, in: place(of: request, call.function))) }
      return reply(200, found.json)
    } catch {
      return reply(500, .members(("message", .string("\(error)"))))
    }
  }

  private func explain(
    _ kind: String, _ name: String, _ event: JSONValue?, _ place: Place
  ) async throws(Fault) -> Explanation? {
    switch kind {
    case "event":
      guard let id = RequestID(name) else { return nil }
      return try await lambda.explain(event: id)
    case "mapping":
      let call = Call(
        requestID: RequestID(from: lambda.world), place: place, caller: .martlet("explain"), host: "localhost",
        traceHeader: nil)
      return await lambda.explain(mapping: name.split(separator: ":").last.map(String.init) ?? name, call)
    case "notification":
      do throws(AWSError) { return try await cloud.s3.explain(notification: name) } catch {
        throw Fault("explain", error.note ?? error.message)
      }
    case "rule":
      return cloud.bridge.explain(rule: name, event: event, in: place, next: { cloud.ruleSchedules.next($0) })
    case "schedule": return cloud.scheduler.explain(schedule: name, in: place)
    case "subscription": return cloud.sns.explain(subscription: name)
    default:
      var found = lambda.explain(function: name, in: place)
      found.append(lambda.explain(startsOf: name, in: place, by: parts))
      found.append(lambda.explain(decisionsOf: name, in: place))
      return found
    }
  }

  private static func unknown(_ kind: String, _ name: String) -> String {
    switch kind {
    case "event":
      "No asynchronous event \(name) is known: it is not waiting, and not among the last ones since the server was started."
    case "mapping": "There is no event source mapping \(name)."
    case "notification": "There is no bucket \(name.prefix { $0 != "/" })."
    default: "There is no \(kind) \(name)."
    }
  }

  /// Where an ARN says, else where the caller's signature says.
  private func place(of request: HTTPRequest, _ name: String) -> Place {
    if let arn = ARN(name), let account = Account(arn.account), let region = Region(arn.region) {
      return Place(account: account, region: region)
    }
    guard let credential = Principals.credential(of: request) else { return defaults }
    return Place(
      account: Account(credential.accessKey) ?? defaults.account, region: Region(credential.region) ?? defaults.region)
  }

  private func reply(_ status: Int, _ json: JSONValue) -> HTTPReply {
    HTTPReply(
      status: status, headers: [("Content-Type", "application/json")], body: ByteBuffer(string: json.text))
  }
}
