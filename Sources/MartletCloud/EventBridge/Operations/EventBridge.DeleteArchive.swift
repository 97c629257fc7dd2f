// DeleteArchive: deletes an archive and its events.
// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_DeleteArchive.html
import MartletCore
import MartletStore
import MartletWire

extension EventBridge {
  enum DeleteArchive: Operation {
    static let route = Route.target("EventBridge.DeleteArchive")

    struct Input: Readable {
      let name: String

      init(_ r: Reader) throws(AWSError) {
        name = try r.body().required("ArchiveName", as: EventBridgeName.archive)
      }
    }

    typealias Output = Empty

    static func answer(_ input: Input, _ call: Call, _ events: EventBridgeService) async throws(AWSError) -> Empty {
      let archive = try events.archive(input.name, call)
      try await events.archives.change(archive.key) { record throws(AWSError) in
        if record == nil { throw .eventsNoArchive(input.name) }
        record = nil
      }
      events.clear(archive.store)
      return Empty()
    }
  }
}
