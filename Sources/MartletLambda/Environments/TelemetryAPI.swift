// The Telemetry API and the Logs API of one environment: how extensions subscribe.
// https://docs.aws.amazon.com/lambda/latest/dg/telemetry-api.html and reference/runtime-api.md 1.5
import MartletCore
import MartletWire
import NIOCore
import NIOHTTP1

enum TelemetryAPI {
  static let paths: [(path: String, api: TelemetrySubscription.API)] = [
    ("/2022-07-01/telemetry", .telemetry), ("/2020-08-15/logs", .logs),
  ]

  /// False if the path is not one of these APIs'.
  static func respond(to request: HTTPRequest, _ exchange: HTTPExchange, _ environment: Environment) -> Bool {
    guard let (_, api) = paths.first(where: { $0.path == request.path }), request.method == .PUT else { return false }
    ExtensionsAPI.identified(request, exchange) { id in
      let body = request.bodyExceedsLimit ? nil : try? JSONValue(parsing: request.body)
      do throws(TelemetrySubscription.Flaw) {
        guard let body else { throw TelemetrySubscription.Flaw(message: "The request is not valid JSON") }
        environment.subscribe(id, try TelemetrySubscription(api, body), exchange)
      } catch {
        exchange.send(invalid(error.message))
      }
    }
    return true
  }

  static func invalid(_ message: String) -> HTTPReply { RuntimeAPI.error(400, "ValidationError", message) }

  static func closed(_ api: TelemetrySubscription.API) -> HTTPReply {
    RuntimeAPI.error(403, "\(api.name).SubscriptionClosed", "\(api.name) API subscription is closed")
  }

  static let subscribed = HTTPReply(
    status: 200, headers: [("Content-Type", "application/json")], body: ByteBuffer(string: "\"OK\""))
}
