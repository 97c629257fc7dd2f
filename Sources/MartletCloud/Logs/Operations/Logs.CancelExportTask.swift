// CancelExportTask: an export task that is not over goes no further.
// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_CancelExportTask.html
import MartletCore
import MartletStore
import MartletWire

extension Logs {
  enum CancelExportTask: Operation {
    static let route = Route.target("Logs.CancelExportTask")

    struct Input: Readable {
      let id: String
      init(_ r: Reader) throws(AWSError) { id = try r.body().required("taskId", .length(1, 512)) }
    }

    typealias Output = Empty

    static func answer(_ input: Input, _ call: Call, _ logs: LogsService) async throws(AWSError) -> Output {
      try await logs.exportTasks.change(ResourceKey(place: call.place, name: input.id)) { record throws(AWSError) in
        guard var task = record else { throw .logsNoResource("The specified export task does not exist.") }
        guard !task.status.isOver else {
          throw .logsExportOver("The specified export task has already finished: \(task.status.rawValue).")
        }
        // The loop sees it before it writes the next file.
        task.status = .pendingCancel
        record = task
      }
      logs.exports.wake()
      return Empty()
    }
  }
}
