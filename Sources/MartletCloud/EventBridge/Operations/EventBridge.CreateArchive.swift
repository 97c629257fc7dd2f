// CreateArchive: keeps the events of a bus, or those that match a pattern.
// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_CreateArchive.html
import MartletCore
import MartletStore
import MartletWire

extension EventBridge {
  enum CreateArchive: Operation {
    static let route = Route.target("EventBridge.CreateArchive")

    struct Input: Readable {
      let name: String
      let source: String
      let settings: ArchiveSettings

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        name = m.required("ArchiveName", as: EventBridgeName.archive)
        source = m.required("EventSourceArn", as: EventBridgeName.source)
        settings = ArchiveSettings(m)
      }
    }

    typealias Output = ArchiveChange

    static func answer(
      _ input: Input, _ call: Call, _ events: EventBridgeService
    ) async throws(AWSError) -> ArchiveChange {
      try input.settings.check()
      guard let arn = ARN(input.source), arn.resource.hasPrefix("event-bus/") else {
        throw .eventsInvalid("EventSourceArn", "Must contain an event bus ARN.")
      }
      var archive = EventArchive(
        key: ResourceKey(place: call.place, name: input.name), store: Int64(bitPattern: events.world.random() >> 2),
        source: input.source, created: events.now)
      input.settings.apply(to: &archive)
      let made = archive
      try await events.archives.change(made.key) { record throws(AWSError) in
        if record != nil { throw .eventsExists("Archive \(made.key.name)") }
        guard events.newest(made.bus) != nil else { throw .eventsNoBus(made.bus.name) }
        record = made
      }
      return ArchiveChange(archive: made)
    }
  }
}

/// What CreateArchive and UpdateArchive can set.
struct ArchiveSettings: Sendable {
  let description: String?
  let pattern: String?
  let retentionDays: Int?
  let encryptionKey: String?

  init(_ m: Members) {
    description = m.string("Description", as: EventBridgeName.lineDescription)
    pattern = m.string("EventPattern", as: EventBridgeName.eventPattern)
    retentionDays = m.integer("RetentionDays", in: 0...Int.max)
    encryptionKey = m.string("KmsKeyIdentifier", as: EventBridgeName.encryptionKey)
  }

  func check() throws(AWSError) { try EventBridge.check(pattern: pattern.flatMap { $0.isEmpty ? nil : $0 }) }

  /// Only what was given.
  func apply(to archive: inout EventArchive) {
    if let description { archive.description = description }
    if let pattern { archive.pattern = pattern.isEmpty ? nil : pattern }
    if let retentionDays { archive.retentionDays = retentionDays }
    if let encryptionKey { archive.encryptionKey = encryptionKey }
  }
}

/// The answer of CreateArchive and UpdateArchive.
struct ArchiveChange: Writable, Sendable {
  let archive: EventArchive

  func write(to w: inout Writer) {
    w.body { w in
      w.member("ArchiveArn", archive.arn)
      w.member("State", EventArchive.state)
      w.moment("CreationTime", Timestamp(milliseconds: archive.created))
    }
  }
}
