// ListArchives: the archives of the account, by the beginning of their names, by bus, or by state.
// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_ListArchives.html
import MartletCore
import MartletStore
import MartletWire

extension EventBridge {
  enum ListArchives: Operation {
    static let route = Route.target("EventBridge.ListArchives")

    struct Input: Readable {
      let prefix: String?
      let source: String?
      let state: String?
      let page: EventBridgePage

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        prefix = m.string("NamePrefix", as: EventBridgeName.archive)
        source = m.string("EventSourceArn", as: EventBridgeName.source)
        state = m.string(
          "State", .oneOf(["ENABLED", "DISABLED", "CREATING", "UPDATING", "CREATE_FAILED", "UPDATE_FAILED"]))
        page = EventBridgePage(m)
      }
    }

    struct Output: Writable {
      let archives: [(archive: EventArchive, size: ArchiveTable.Size)]
      let token: String?

      func write(to w: inout Writer) {
        w.body { w in
          w.list("Archives", archives) { w, entry in entry.archive.writeSummary(to: &w, entry.size) }
          w.member("NextToken", token)
        }
      }
    }

    static func answer(_ input: Input, _ call: Call, _ events: EventBridgeService) async throws(AWSError) -> Output {
      guard [input.prefix, input.source, input.state].count(where: { $0 != nil }) < 2 else {
        throw .eventsInvalid(
          "At most one filter is allowed for ListArchives. Use either : State, EventSourceArn, or NamePrefix.")
      }
      let archives = events.archives.list(call.place).filter { archive in
        archive.key.name.hasPrefix(input.prefix ?? "") && archive.source == (input.source ?? archive.source)
          && EventArchive.state == (input.state ?? EventArchive.state)
      }
      let (part, token) = try input.page.cut(archives) { $0.key.name }
      var sized: [(archive: EventArchive, size: ArchiveTable.Size)] = []
      for archive in part { sized.append((archive, try events.size(of: archive))) }
      return Output(archives: sized, token: token)
    }
  }
}
