// ListMessageMoveTasks: the newest tasks of a source, up to ten.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ListMessageMoveTasks.html
import MartletCore
import MartletStore
import MartletWire

extension SQS {
  enum ListMessageMoveTasks: Operation {
    static let route = Route.target("SQS.ListMessageMoveTasks")

    struct Input: Readable {
      let source: String
      let count: Int

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        source = m.sqsRequired("SourceArn")
        count = m.sqsInteger("MaxResults") ?? 1
        if !(1...SQSService.rememberedTasks).contains(count) {
          m.refuse(.sqsInvalid(count, for: "MaxResults", "Must be between 1 and 10, if provided."))
        }
      }
    }

    struct Output: Writable {
      let tasks: [MoveTask]

      func write(to w: inout Writer) { w.body { w in w.list("Results", tasks) { $1.write(to: &$0) } } }
    }

    static func answer(_ input: Input, _ call: Call, _ sqs: SQSService) async throws(AWSError) -> Output {
      let (source, _) = try sqs.source(input.source, call)
      return Output(tasks: Array(sqs.tasks(of: source.arn, in: source.key.place).prefix(input.count)))
    }
  }
}
