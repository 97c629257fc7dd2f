// UpdateArchive: changes what an archive keeps, and for how long.
// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_UpdateArchive.html
import MartletCore
import MartletStore
import MartletWire

extension EventBridge {
  enum UpdateArchive: Operation {
    static let route = Route.target("EventBridge.UpdateArchive")

    struct Input: Readable {
      let name: String
      let settings: ArchiveSettings

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        name = m.required("ArchiveName", as: EventBridgeName.archive)
        settings = ArchiveSettings(m)
      }
    }

    typealias Output = ArchiveChange

    static func answer(
      _ input: Input, _ call: Call, _ events: EventBridgeService
    ) async throws(AWSError) -> ArchiveChange {
      let archive = try events.archive(input.name, call)
      try input.settings.check()
      try await events.archives.change(archive.key) { record throws(AWSError) in
        guard var changed = record else { throw .eventsNoArchive(input.name) }
        input.settings.apply(to: &changed)
        record = changed
      }
      events.forget()
      return ArchiveChange(archive: try events.archive(input.name, call))
    }
  }
}
