// Why an event did not reach a function, as far as Lambda knows: docs/explain.md.
import MartletCore
import MartletStore
import MartletWire
import NIOPosix

extension LambdaService {
  /// An asynchronous event by its request id; nil if nothing is known of it.
  package func explain(event id: RequestID) async throws(Fault) -> Explanation? {
    var found = Explanation("the asynchronous event \(id)")
    if let story = events.journal.find(id) {
      explain(story, &found)
      found.append(explain(function: story.function.arn, in: story.function.key.place))
      return found
    }
    // It may have been accepted before the server was started.
    guard let (function, attempts, due) = try await events.waiting(id) else { return nil }
    found.says("It waits for \(function.arn) since before the server was started, after \(attempts) attempts.")
    if due > world.now() { found.stops("Its next attempt is due at \(due.iso8601Seconds).") }
    found.append(explain(function: function.arn, in: function.key.place))
    return found
  }

  private func explain(_ story: EventStory, _ found: inout Explanation) {
    found.says("It was accepted at \(story.accepted.iso8601) for \(story.function.arn).")
    if story.count > story.attempts.count { found.says("There were \(story.count) attempts; these are the last ones.") }
    for attempt in story.attempts {
      let text = "Attempt at \(attempt.at.iso8601): \(attempt.words)."
      if attempt.succeeded { found.holds(text) } else { found.warns(text) }
    }
    switch story.ending {
    case .none: found.says("It is being tried, or it will be as soon as there is room.")
    case .waits(let due): found.stops("It waits: the next attempt is due at \(due.iso8601Seconds).")
    case .over(.success): found.holds("It is over: the function succeeded.")
    case .over(.zeroReservedConcurrency):
      found.stops("It was given up, because the function's reserved concurrency is 0.")
    case .over(let condition): found.stops("It was given up after \(story.count) attempts: \(condition.rawValue).")
    case .dropped(let reason): found.stops("It was dropped: \(reason).")
    }
    for (target, isDelivered) in story.told {
      let what = target.kind == .deadLetter ? "The dead letter" : "The record of it"
      if isDelivered {
        found.says("\(what) went to \(target.arn).")
      } else {
        found.warns("\(what) could not be delivered to \(target.arn); the server's log says why.")
      }
    }
    if case .over(let condition) = story.ending, condition != .success, story.told.isEmpty {
      found.warns("The function has no dead-letter queue and no OnFailure destination, so the event is lost.")
    }
  }

  /// An event source mapping by its UUID; nil if there is none.
  package func explain(mapping id: String, _ call: Call) async -> Explanation? {
    let key = ResourceKey(place: call.place, name: EventSourceMapping.name(id))
    guard let mapping = resources.eventSourceMappings.find(key) else { return nil }
    var found = Explanation("the event source mapping \(key.name)")
    found.says("It reads \(mapping.sourceARN ?? "a cluster of your own") for \(mapping.functionARN).")
    if !mapping.isEnabled {
      found.stops("It is switched off (Enabled=false).")
    } else if mapping.state.isBusy {
      found.stops("It is \(mapping.state.rawValue) and not at work yet.")
    } else {
      found.holds("It is \(mapping.state.rawValue).")
    }
    if !mapping.source.isQueue { found.stops("Martlet does not poll this kind of source yet (UNIMPLEMENTED.txt).") }
    if let poller = pollers.find(key) { explain(poller, &found) }
    for filter in mapping.settings["FilterCriteria"]?["Filters"]?.array ?? [] {
      found.says("It takes only what matches this filter, and drops the rest: \(filter["Pattern"]?.string ?? "")")
    }
    if let window = mapping.settings["MaximumBatchingWindowInSeconds"]?.integer, window > 0 {
      found.says("It gathers records for up to \(window) seconds.")
    }
    if mapping.source.isQueue { await explain(queue: mapping.sourceARN ?? "", call, &found) }
    found.append(explain(function: mapping.functionARN, in: call.place))
    return found
  }

  private func explain(_ poller: Poller, _ found: inout Explanation) {
    if let problem = poller.problem { found.stops(problem) }
    let counts = poller.counts
    found.says(
      "Since it began, it has received \(counts.polled) messages, dropped \(counts.filteredOut) by its filters, and "
        + "invoked the function \(counts.invocations) times with \(counts.invoked) of them; "
        + "\(poller.concurrency.running) batches are under way.")
    if counts.failedInvoke > 0 {
      found.warns("The function failed with \(counts.failedInvoke) messages, which stay in the queue.")
    }
    if counts.throttles > 0 { found.warns("\(counts.throttles) times there was no room to invoke the function.") }
    if counts.filteredOut > 0 { found.warns("\(counts.filteredOut) messages did not match its filters.") }
  }

  private func explain(queue arn: String, _ call: Call, _ found: inout Explanation) async {
    guard let queue = SQS.QueueReference(arn: arn), door.isOffered(SQS.GetQueueAttributes.self) else { return }
    do throws(AWSError) {
      let attributes = try await door.call(
        SQS.GetQueueAttributes.self, .init(queue: queue), call.by("lambda.amazonaws.com")
      ).attributes
      func number(_ name: String) -> String { attributes.last { $0.key == name }?.value ?? "0" }
      found.says(
        "In the queue, \(number("ApproximateNumberOfMessages")) messages wait, "
          + "\(number("ApproximateNumberOfMessagesNotVisible")) are hidden because they were received, and "
          + "\(number("ApproximateNumberOfMessagesDelayed")) are delayed.")
    } catch {
      found.stops("The queue cannot be read: \(error.code): \(error.message)")
    }
  }

  // MARK: - Functions

  /// What is in the way of a function that somebody would invoke.
  /// - Parameter arn: a name or an ARN, with or without a qualifier.
  package func explain(function arn: String, in place: Place) -> Explanation {
    var found = Explanation("the function \(arn)")
    guard let reference = try? FunctionNameParts(arn)?.resolve(qualifier: nil, in: place) else {
      found.stops("\(arn) is not the name of a function.")
      return found
    }
    guard let record = functions.find(reference.key) else {
      found.stops("The function \(reference.unqualifiedARN) does not exist.")
      return found
    }
    let qualifier = reference.qualifier ?? "$LATEST"
    guard let version = record.aliases[qualifier]?.version ?? VersionName(qualifier),
      let configuration = record.configuration(version)
    else {
      found.stops("The function has no version or alias \(qualifier).")
      return found
    }
    explain(record.invocable(version) ?? configuration, &found)
    if configuration.isPending { for text in activation.progress(of: configuration) { found.says(text) } }
    if record.reserved == 0 { found.stops("The function's reserved concurrency is 0: nothing can be invoked.") }
    return found
  }

  /// Whether an invocation runs now, waits, or is refused (`Line.resolve`).
  private func explain(_ configuration: FunctionConfiguration, _ found: inout Explanation) {
    let reason = configuration.stateReason.map { ": \($0.text)" } ?? "."
    let text = "The function is \(configuration.state.rawValue)\(reason)" + (reason.hasSuffix(".") ? "" : ".")
    switch configuration.state {
    case .active: found.holds("The function exists and can be invoked.")
    case .pending where !configuration.isSnapStarted: found.warns("\(text) Who invokes it waits.")
    case .pending, .failed, .inactive: found.stops(text)
    }
  }

  /// What is in the way of a service that would invoke a function, with what its policy says.
  package func explain(_ call: Explanation.FunctionCall, in place: Place) -> Explanation {
    var found = explain(function: call.function, in: place)
    guard let principal = call.principal,
      let reference = try? FunctionNameParts(call.function)?.resolve(qualifier: nil, in: place),
      let record = functions.find(reference.key)
    else { return found }
    let policy = record.policies[reference.qualifier ?? ""]
    if policy?.statements.contains(where: { PolicyAnswer.admits($0, principal, call.source) }) == true {
      found.holds("The function's policy admits \(principal) for \(call.source).")
    } else {
      found.warns(
        "The function's policy does not admit \(principal) for \(call.source). Martlet does not enforce policies yet; "
          + "AWS would not invoke it. Mend it with: aws lambda add-permission --function-name \(call.function) "
          + "--statement-id \(principal.prefix { $0 != "." }) --action lambda:InvokeFunction --principal \(principal) "
          + "--source-arn \(call.source)")
    }
    return found
  }
}

/// Whether one statement of a policy lets a service invoke the function, as far as its usual conditions go.
enum PolicyAnswer {
  static func admits(_ statement: JSONValue, _ principal: String, _ source: String) -> Bool {
    guard statement["Effect"]?.string == "Allow" else { return false }
    let whom = statement["Principal"]
    let names = list(whom?["Service"]) + (whom?.string.map { [$0] } ?? [])
    guard names.contains(principal) || names.contains("*") else { return false }
    guard list(statement["Action"]).contains(where: { ["lambda:InvokeFunction", "lambda:*", "*"].contains($0) }) else {
      return false
    }
    for condition in statement["Condition"]?.members ?? [] {
      for test in condition.value.members ?? [] where test.name.lowercased() == "aws:sourcearn" {
        guard list(test.value).contains(where: { matches($0, source) }) else { return false }
      }
    }
    return true
  }

  private static func list(_ value: JSONValue?) -> [String] {
    value?.array?.compactMap(\.string) ?? value?.string.map { [$0] } ?? []
  }

  /// `*` stands for anything.
  static func matches(_ pattern: String, _ text: String) -> Bool {
    let parts = pattern.split(separator: "*", omittingEmptySubsequences: false)
    guard parts.count > 1, let first = parts.first, let last = parts.last else { return pattern == text }
    guard text.hasPrefix(first) else { return false }
    var rest = text.dropFirst(first.count)
    for part in parts.dropFirst().dropLast() where !part.isEmpty {
      guard let place = rest.firstRange(of: part) else { return false }
      rest = rest[place.upperBound...]
    }
    return rest.hasSuffix(last)
  }
}

extension EventQueue {
  /// An event that is on disk and not over.
  func waiting(_ id: RequestID) async throws(Fault) -> (function: FunctionReference, attempts: Int, due: Timestamp)? {
    let database = database
    let result: Result<(FunctionReference, Int, Timestamp)?, Fault>
    do {
      result = try await NIOThreadPool.singleton.runIfActive {
        Result { () throws(Fault) in try database.read { try EventTable.find(id, $0) } }
      }
    } catch {
      throw Fault("read events", "\(error)")
    }
    return try result.get().map { (function: $0.0, attempts: $0.1, due: $0.2) }
  }
}

extension EventTable {
  /// By the request id, over all rows.
  fileprivate static func find(
    _ id: RequestID, _ session: SQLSession
  ) throws(Fault) -> (FunctionReference, Int, Timestamp)? {
    guard
      let row = try session.rows(
        "SELECT account, region, name, qualifier, attempts, due FROM lambda_events WHERE request_id = ?",
        [.text(id.description)]
      ).first, let account = Account(row.text("account")), let region = Region(row.text("region"))
    else { return nil }
    let qualifier = row.text("qualifier")
    return (
      FunctionReference(
        key: FunctionKey(place: Place(account: account, region: region), name: row.text("name")),
        qualifier: qualifier.isEmpty ? nil : qualifier), row.integer("attempts"),
      Timestamp(nanoseconds: Int64(row.integer("due")))
    )
  }
}
