// CreateExportTask: writes the events of a group into a bucket.
// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_CreateExportTask.html
import MartletCore
import MartletStore
import MartletWire

extension Logs {
  enum CreateExportTask: Operation {
    static let route = Route.target("Logs.CreateExportTask")

    struct Input: Readable {
      let order: ExportTask.Order

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        var order = ExportTask.Order()
        order.name = m.string("taskName", .length(1, 512))
        order.group = m.logGroup()
        order.streams = m.string("logStreamNamePrefix", .length(1, 512), .pattern(Logs.namePattern))
        order.from = Int64(m.requiredInteger("from", in: 0...Int.max))
        order.to = Int64(m.requiredInteger("to", in: 0...Int.max))
        order.bucket = m.required("destination", .length(1, 512))
        order.prefix = m.string("destinationPrefix")
        // No moment is as late as some numbers.
        order.to = min(order.to, Int64.max - 1)
        self.order = order
      }
    }

    struct Output: Writable {
      let id: String
      func write(to w: inout Writer) { w.body { $0.member("taskId", id) } }
    }

    static func answer(_ input: Input, _ call: Call, _ logs: LogsService) async throws(AWSError) -> Output {
      guard input.order.from < input.order.to else {
        throw .logsInvalid("The value of from must be less than the value of to.")
      }
      _ = try logs.group(input.order.group, call.place)
      let id = RequestID(from: logs.world).description
      try await logs.add(
        ExportTask(key: ResourceKey(place: call.place, name: id), input.order, created: logs.now))
      return Output(id: id)
    }
  }
}
