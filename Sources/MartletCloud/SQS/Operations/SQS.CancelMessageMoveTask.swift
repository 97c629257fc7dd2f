// CancelMessageMoveTask: ends a task; what it has moved stays moved.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_CancelMessageMoveTask.html
import MartletCore
import MartletStore
import MartletWire

extension SQS {
  enum CancelMessageMoveTask: Operation {
    static let route = Route.target("SQS.CancelMessageMoveTask")

    struct Input: Readable {
      let handle: String

      init(_ r: Reader) throws(AWSError) { handle = try r.body().sqsRequired("TaskHandle") }
    }

    struct Output: Writable {
      let moved: Int

      func write(to w: inout Writer) { w.body { $0.member("ApproximateNumberOfMessagesMoved", moved) } }
    }

    static func answer(_ input: Input, _ call: Call, _ sqs: SQSService) async throws(AWSError) -> Output {
      guard let id = MoveTask.id(handle: input.handle) else { throw .sqsNoTask() }
      let moved = try await sqs.tasks.change(ResourceKey(place: call.place, name: id)) { record throws(AWSError) in
        guard let task = record else { throw .sqsNoTask() }
        guard task.status == .running else { throw .sqsUnsupported("Only active tasks can be cancelled.") }
        record?.status = .cancelling
        return task.moved
      }
      return Output(moved: moved)
    }
  }
}
