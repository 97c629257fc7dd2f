// DescribeArchive: one archive, and how much it holds.
// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_DescribeArchive.html
import MartletCore
import MartletWire

extension EventBridge {
  enum DescribeArchive: Operation {
    static let route = Route.target("EventBridge.DescribeArchive")

    struct Input: Readable {
      let name: String

      init(_ r: Reader) throws(AWSError) {
        name = try r.body().required("ArchiveName", as: EventBridgeName.archive)
      }
    }

    struct Output: Writable {
      let archive: EventArchive
      let size: ArchiveTable.Size

      func write(to w: inout Writer) {
        w.body { w in
          w.member("ArchiveArn", archive.arn)
          w.member("Description", archive.description)
          w.member("EventPattern", archive.pattern)
          w.member("KmsKeyIdentifier", archive.encryptionKey)
          archive.writeSummary(to: &w, size)
        }
      }
    }

    static func answer(_ input: Input, _ call: Call, _ events: EventBridgeService) async throws(AWSError) -> Output {
      let archive = try events.archive(input.name, call)
      return Output(archive: archive, size: try events.size(of: archive))
    }
  }
}
