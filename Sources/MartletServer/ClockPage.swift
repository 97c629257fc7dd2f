// `/_martlet/clock`: shows the clock of this server, and moves it. See docs/clock.md.
import FoundationEssentials
import Logging
import MartletCore
import MartletStore
import MartletWire
import NIOCore
import NIOHTTP1

package final class ClockPage: Sendable {
  static let path = "/_martlet/clock"

  private let world: MovableWorld
  private let alarms: Alarms
  /// Where it lies how far the clock is ahead, for the next start.
  private let file: String
  private let isMovable: Bool
  private let log: Logger

  /// How long a move waits for the work that it set off, in real time, unless it is told otherwise.
  private static let patience = Duration.seconds(30)
  private static let longestPatience = Duration.seconds(3600)
  /// The clock cannot pass the year 2200: moments are kept in 64 bits of nanoseconds.
  private static let end = Timestamp(milliseconds: 7_258_118_400_000)

  package init(world: MovableWorld, alarms: Alarms, file: String, isMovable: Bool, log: Logger) {
    self.world = world
    self.alarms = alarms
    self.file = file
    self.isMovable = isMovable
    self.log = log
  }

  /// How far the clock was ahead when the server ran last, in nanoseconds.
  static func offset(keptIn file: String) -> Int64 {
    guard Files.exists(file), let bytes = try? Files.read(file) else { return 0 }
    return Int64(String(decoding: bytes, as: UTF8.self).filter { !$0.isWhitespace }) ?? 0
  }

  package func answer(_ request: HTTPRequest) async -> HTTPReply {
    switch request.method {
    case .GET: return shown(nil)
    case .POST: return await move(request)
    default: return refusal(405, "The clock is read with GET and moved with POST.")
    }
  }

  // MARK: - Moving

  private enum Order: Sendable {
    case advance(Duration)
    case set(Timestamp)
  }

  private func move(_ request: HTTPRequest) async -> HTTPReply {
    guard isMovable else {
      return refusal(
        403, "The clock of this server is fixed, because it listens beyond loopback. Start it with --movable-clock.")
    }
    // Browsers name the page that makes them ask; no page has anything to do with the clock.
    guard request.header("Origin") == nil else { return refusal(403, "Pages of browsers cannot move the clock.") }
    guard let json = try? JSONValue(parsing: request.body), let order = ClockPage.order(json) else {
      return refusal(
        400,
        #"Send {"advance":"2m"} (ms, s, m, h, d, w, y, such as 1h30m) or {"set":"2027-01-01T00:00:00Z"}, and "wait" if need be."#
      )
    }
    var patience = ClockPage.patience
    if let wait = json["wait"] {
      guard let text = wait.string, let given = Duration.parse(text), given <= ClockPage.longestPatience else {
        return refusal(400, #""wait" is a time of at most one hour, such as "10s"."#)
      }
      patience = given
    }
    if case .set(let moment) = order, moment < world.now() || moment > ClockPage.end {
      return refusal(400, "The clock moves forward only, to the year 2200 at most; it is \(world.now().iso8601).")
    }
    let move = await alarms.move(patience: patience) { now in
      switch order {
      case .advance(let span):
        let (sum, isTooFar) = now.nanoseconds.addingReportingOverflow(span.inNanoseconds)
        return isTooFar ? ClockPage.end : min(Timestamp(nanoseconds: sum), ClockPage.end)
      case .set(let moment): return moment
      }
    }
    keep()
    log.info(
      "the clock was moved",
      metadata: ["now": "\(move.now.iso8601)", "rang": "\(move.rang)", "settled": "\(move.isSettled)"])
    return shown(move)
  }

  private static func order(_ json: JSONValue) -> Order? {
    switch (json["advance"], json["set"]) {
    case (let advance?, nil):
      let text = advance.string ?? advance.integer.map(String.init) ?? ""
      return Duration.parse(text).map { .advance($0) }
    case (nil, let set?):
      guard let text = set.string, let date = try? Date(text, strategy: .iso8601) else { return nil }
      let seconds = date.timeIntervalSince1970
      return abs(seconds) < 9e9 ? .set(Timestamp(milliseconds: Int64(seconds * 1000))) : nil
    default: return nil
    }
  }

  private func keep() {
    let text = Array("\(world.offset)\n".utf8)
    let result = text.withUnsafeBytes { raw in
      Result { () throws(Fault) in try Files.writeDurably(raw, to: file) }
    }
    if case .failure(let fault) = result {
      log.error("the clock's place was not kept", metadata: ["fault": "\(fault)"])
    }
  }

  // MARK: - Answers

  /// `{"now":…,"offsetSeconds":…,"next":…,"movable":…}`, and what came of a move.
  private func shown(_ move: Alarms.Move?) -> HTTPReply {
    var json = JSONWriter()
    json.object { w in
      w.name("now")
      w.value((move?.now ?? world.now()).iso8601)
      w.name("offsetSeconds")
      w.value(Double(world.offset / 1_000_000) / 1000)
      if let next = alarms.next {
        w.name("next")
        w.value(next.iso8601)
      }
      w.name("movable")
      w.value(isMovable)
      if let move {
        w.name("rang")
        w.value(move.rang)
        w.name("settled")
        w.value(move.isSettled)
      }
    }
    return HTTPReply(status: 200, headers: [("Content-Type", "application/json")], body: json.buffer)
  }

  private func refusal(_ status: Int, _ message: String) -> HTTPReply {
    var json = JSONWriter()
    json.object { w in
      w.name("message")
      w.value(message)
    }
    return HTTPReply(status: status, headers: [("Content-Type", "application/json")], body: json.buffer)
  }
}
