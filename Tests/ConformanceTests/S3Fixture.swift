// S3 in a process with a database and files in a directory of its own, on a clock that the test moves.
import Foundation
import Logging
import MartletCore
import MartletStore
import MartletWire
import NIOCore
import NIOHTTP1
import Testing

@testable import MartletCloud

final class S3Fixture: Sendable {
  struct Answer {
    let status: Int
    let text: String
    let headers: [(name: String, value: String)]

    var code: String { element("Code") ?? "" }

    /// What stands between the first `<name>` and its end.
    func element(_ name: String) -> String? {
      guard let start = text.firstRange(of: "<\(name)>")?.upperBound,
        let end = text[start...].firstRange(of: "</\(name)>")?.lowerBound
      else { return nil }
      return String(text[start..<end])
    }

    func header(_ name: String) -> String? { headers.first { $0.name.lowercased() == name.lowercased() }?.value }
  }

  let service: S3Service
  let alarms: Alarms
  let door: Door
  private let directory: String
  private let wire: S3WireService
  private let place: Place

  init() throws {
    directory = "/tmp/martlet-test-s3-\(RealWorld().random())"
    try Files.makeDirectory(directory)
    place = Place(account: try #require(Account("111111111111")), region: try #require(Region("us-east-1")))
    let log = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    let database = try Database(path: "\(directory)/martlet.db")
    try database.migrate(S3Service.migrations + Outbox.migrations)
    // Nothing rings but what the test moves the clock past.
    alarms = Alarms(world: MovableWorld(RealWorld(), offset: 0)) { _, _ in }
    door = Door(log: log)
    service = try S3Service(database: database, root: "\(directory)/objects", alarms: alarms, door: door, log: log)
    wire = S3WireService(service, door: door)
  }

  deinit { try? FileManager.default.removeItem(atPath: directory) }

  func call(
    _ method: HTTPMethod, _ uri: String, _ body: String = "", headers: HTTPHeaders = [:]
  ) async -> Answer {
    let request = HTTPRequest(method: method, uri: uri, headers: headers, body: ByteBuffer(string: body))
    let call = Call(
      requestID: RequestID(from: RealWorld()), place: place, caller: .anonymous, host: "localhost:4566",
      traceHeader: nil)
    let reply = await wire.answer(request, call)
    var text = String(buffer: reply.body)
    if let file = reply.file {
      var bytes: [UInt8] = []
      try? file.file.forEachPiece(in: file.range) { piece throws(Fault) in bytes += piece }
      text = String(decoding: bytes, as: UTF8.self)
    }
    return Answer(status: reply.status, text: text, headers: reply.headers)
  }
}
