// Where finished events go, and how they get there: a function by the queue itself, everything else by the door.
// https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
import Logging
import MartletCore
import MartletWire
import NIOCore

extension EventTarget {
  /// Who is to be told of an event's end, as the function is configured now.
  static func all(
    of function: FunctionReference, _ condition: EventCondition, _ record: FunctionRecord
  ) -> [EventTarget] {
    let config = record.eventInvokeConfigs[function.qualifier ?? "$LATEST"]
    guard condition != .success else {
      return config?.onSuccess.map { [EventTarget(kind: .destination, arn: $0)] } ?? []
    }
    var targets: [EventTarget] = []
    if let arn = record.deadLetterTarget(of: function.qualifier) { targets.append(.init(kind: .deadLetter, arn: arn)) }
    if let arn = config?.onFailure { targets.append(.init(kind: .destination, arn: arn)) }
    return targets
  }
}

extension FunctionRecord {
  /// Of the version that a qualifier means; of the main one if it is an alias with two.
  fileprivate func deadLetterTarget(of qualifier: String?) -> String? {
    let version = qualifier.flatMap { aliases[$0]?.version ?? VersionName($0) } ?? .latest
    return invocable(version)?.deadLetterTarget
  }
}

extension EventQueue {
  /// What came of telling one target.
  enum Telling {
    case delivered
    /// The record is an event for a function, to be stored when the target is struck off, and not twice therefore.
    case event(StoredEvent)
    /// It will not take it, now or ever: AWS counts that and drops the record.
    case failed
    case later
  }

  func tell(_ target: EventTarget, _ event: StoredEvent) async -> Telling {
    guard let outcome = event.outcome else { return .failed }
    do throws(AWSError) {
      return try await send(target, event, outcome)
    } catch {
      // What is not built will not be there in a minute either.
      let isLasting = error.status == 501 || error.status < 500 && error.status != 429
      let isOver = alarms.world.now() > outcome.ended + RetryPolicy().maximumEventAge
      log.log(
        level: isLasting || isOver ? .error : .notice,
        isLasting || isOver ? "a record could not be delivered" : "a record is delivered later",
        metadata: [
          "function": "\(event.function.arn)", "request": "\(event.requestID)", "target": "\(target.arn)",
          "code": "\(error.code)", "error": "\(error.note ?? error.message)",
        ])
      return isLasting || isOver ? .failed : .later
    }
  }

  private func send(
    _ target: EventTarget, _ event: StoredEvent, _ outcome: EventOutcome
  ) async throws(AWSError) -> Telling {
    guard let arn = ARN(target.arn) else { throw .destinationInvalid(target.arn) }
    let place = event.function.key.place
    let call = Call(
      requestID: RequestID(from: alarms.world),
      place: Place(account: Account(arn.account) ?? place.account, region: Region(arn.region) ?? place.region),
      caller: .service("lambda.amazonaws.com"), host: "localhost", traceHeader: event.traceHeader)
    switch (target.kind, arn.service) {
    case (.destination, "lambda"):
      return .event(try successor(target.arn, InvocationRecord.make(event, outcome), event, call))
    default: throw .notImplemented("a \(target.kind.rawValue) target of the service \(arn.service)")
    }
  }

  /// The record as an event of another function.
  private func successor(
    _ arn: String, _ record: ByteBuffer, _ event: StoredEvent, _ call: Call
  ) throws(AWSError) -> StoredEvent {
    guard let name = FunctionNameParts(arn) else { throw .destinationInvalid(arn) }
    let function = try name.resolve(qualifier: nil, in: call.place)
    let limit = limits.asynchronousInvokeRequest
    guard record.readableBytes <= limit.bytes else { throw .payloadTooLarge(limit: limit) }
    try line.find(function, in: functions)
    return make(
      Invocation(function: function, payload: record, requestID: call.requestID, traceHeader: event.traceHeader))
  }
}
