// StartMessageMoveTask: takes messages out of a dead-letter queue, as new messages.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_StartMessageMoveTask.html
import MartletCore
import MartletStore
import MartletWire

extension SQS {
  enum StartMessageMoveTask: Operation {
    static let route = Route.target("SQS.StartMessageMoveTask")

    struct Input: Readable {
      let source: String
      let destination: String?
      let rate: Int?

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        source = m.sqsRequired("SourceArn")
        destination = m.text("DestinationArn")
        rate = m.sqsInteger("MaxNumberOfMessagesPerSecond")
        if let rate, !(1...500).contains(rate) {
          m.refuse(.sqsInvalid(rate, for: "MaxNumberOfMessagesPerSecond", "Must be between 1 and 500, if provided."))
        }
      }
    }

    struct Output: Writable {
      let handle: String

      func write(to w: inout Writer) { w.body { $0.member("TaskHandle", handle) } }
    }

    static func answer(_ input: Input, _ call: Call, _ sqs: SQSService) async throws(AWSError) -> Output {
      let (source, line) = try sqs.source(input.source, call)
      guard !sqs.live.sources(of: source.key).isEmpty else {
        throw .sqsInvalid("Source queue must be configured as a Dead Letter Queue.")
      }
      if let destination = input.destination {
        guard destination != input.source else {
          throw .sqsInvalid("Source queue arn and destination queue arn cannot be the same.")
        }
        guard let reference = SQS.QueueReference(arn: destination), let queue = try? sqs.queue(reference, call) else {
          throw .sqsNoResource("DestinationArn")
        }
        guard queue.isFIFO == source.isFIFO else {
          throw .sqsInvalid("Source queue and destination queue must be of the same type.")
        }
      }
      let task = MoveTask(
        key: ResourceKey(place: source.key.place, name: sqs.newID()), source: input.source,
        destination: input.destination, rate: input.rate, started: sqs.now, toMove: line.counts().visible)
      try await sqs.start(task)
      return Output(handle: task.handle)
    }
  }
}

extension SQSService {
  /// The queue of an ARN that a move task names.
  func source(_ arn: String, _ call: Call) throws(AWSError) -> (SQSQueue, LiveQueue) {
    guard let reference = SQS.QueueReference(arn: arn), let found = try? line(reference, call) else {
      throw .sqsNoResource("SourceArn")
    }
    return found
  }
}
