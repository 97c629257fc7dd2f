// DescribeExportTasks: export tasks, the newest first.
// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_DescribeExportTasks.html
import MartletCore
import MartletStore
import MartletWire

extension Logs {
  enum DescribeExportTasks: Operation {
    static let route = Route.target("Logs.DescribeExportTasks")

    struct Input: Readable {
      let id: String?
      let status: String?
      let page: LogsPage

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        id = m.string("taskId", .length(1, 512))
        status = m.string("statusCode", .oneOf(ExportTask.Status.allCases.map(\.rawValue)))
        page = LogsPage(m)
      }
    }

    struct Output: Writable {
      let tasks: [ExportTask]
      let token: String?

      func write(to w: inout Writer) {
        w.body { w in
          w.list("exportTasks", tasks) { $1.write(to: &$0) }
          w.member("nextToken", token)
        }
      }
    }

    static func answer(_ input: Input, _ call: Call, _ logs: LogsService) async throws(AWSError) -> Output {
      func name(_ task: ExportTask) -> String { Logs.sortable(task.created, task.key.name) }
      let tasks = logs.exportTasks.list(call.place).filter {
        (input.id ?? $0.key.name) == $0.key.name && (input.status ?? $0.status.rawValue) == $0.status.rawValue
      }
      let (page, token) = input.page.cut(tasks.sorted { name($0) > name($1) }, name: name) { $0 > $1 }
      return Output(tasks: page, token: token)
    }
  }
}
