// SQS at a remote endpoint: answers the calls of other services by AWS JSON over HTTP (docs/remote-endpoints.md).
import Logging
import MartletCore
import NIOCore
import NIOHTTP1
import Synchronization

package final class RemoteSQS: Sendable {
  private let endpoint: RemoteEndpoint
  private let world: any World
  private let client: HTTPClient
  /// URLs of queues as the endpoint told them.
  private let urls = Mutex<[SQS.QueueReference: String]>([:])

  /// The longest that SQS lets a receive wait, in seconds.
  private static let longestWait = 20
  /// Requests of one batch that are under way together.
  private static let width = 8

  package init(
    _ endpoint: RemoteEndpoint, world: any World, security: (any TransportSecurity)? = nil,
    patience: HTTPClient.Patience = .init()
  ) {
    self.endpoint = endpoint
    self.world = world
    client = HTTPClient(endpoint.address, patience: patience, security: security)
  }

  /// Has the door send all calls to queues there.
  package func offer(at door: Door) {
    door.offer(SQS.ReceiveMessage.self, isRemote: true) { (input, call) async throws(AWSError) in
      try await self.receive(input, call)
    }
    door.offer(SQS.SendMessage.self, isRemote: true) { (input, call) async throws(AWSError) in
      try await self.send(input, call)
    }
    door.offer(SQS.SendMessageBatch.self, isRemote: true) { (input, call) async throws(AWSError) in
      try await self.send(input, call)
    }
    door.offer(SQS.DeleteMessageBatch.self, isRemote: true) { (input, call) async throws(AWSError) in
      let entries = input.entries.map { (id: $0.id, more: [("ReceiptHandle", JSONValue.string($0.receipt))]) }
      return .init(result: try await self.batches("DeleteMessageBatch", input.queue, entries, call))
    }
    door.offer(SQS.ChangeMessageVisibilityBatch.self, isRemote: true) { (input, call) async throws(AWSError) in
      let entries = input.entries.map { entry in
        let seconds = entry.visibility.map { [("VisibilityTimeout", JSONValue.integer(Int64($0)))] } ?? []
        return (id: entry.id, more: [("ReceiptHandle", JSONValue.string(entry.receipt))] + seconds)
      }
      return .init(result: try await self.batches("ChangeMessageVisibilityBatch", input.queue, entries, call))
    }
    door.offer(SQS.GetQueueAttributes.self, isRemote: true) { (input, call) async throws(AWSError) in
      let names = JSONValue.array(input.names.map { .string($0) })
      let json = try await self.ask("GetQueueAttributes", input.queue, [("AttributeNames", names)], call)
      return .init(attributes: (json["Attributes"]?.members ?? []).map { (key: $0.name, value: $0.value.string ?? "") })
    }
    door.offer(SQS.GetQueueUrl.self, isRemote: true) { (input, call) async throws(AWSError) in
      .init(url: try await self.url(input.name, owner: input.owner, call))
    }
  }

  // MARK: - Receiving

  private func receive(
    _ input: SQS.ReceiveMessage.Input, _ call: Call
  ) async throws(AWSError) -> SQS.ReceiveMessage.Output {
    var members: [(String, JSONValue)] = [
      ("MaxNumberOfMessages", .integer(Int64(input.count))),
      ("AttributeNames", .array(input.systemNames.map { .string($0) })),
      ("MessageSystemAttributeNames", .array(input.systemNames.map { .string($0) })),
      ("MessageAttributeNames", .array(input.names.map { .string($0) })),
    ]
    if let seconds = input.visibility { members.append(("VisibilityTimeout", .integer(Int64(seconds)))) }
    if let attempt = input.attemptID { members.append(("ReceiveRequestAttemptId", .string(attempt))) }
    // The endpoint's time is its own: nobody here can wait for it.
    input.waits?()
    // Some servers see only after a wait that a message group is free again.
    let isForever = input.wait == SQS.ReceiveMessage.Input.untilThereIsOne
    var longest = isForever && input.queue.name.hasSuffix(".fifo") ? 1 : RemoteSQS.longestWait
    while !Task.isCancelled {
      let wait = input.wait.map { [("WaitTimeSeconds", JSONValue.integer(Int64(min($0, longest))))] } ?? []
      longest = min(longest * 2, RemoteSQS.longestWait)
      let json: JSONValue
      do throws(AWSError) {
        json = try await ask("ReceiveMessage", input.queue, members + wait, call)
      } catch {
        if Task.isCancelled { break }
        throw error
      }
      let messages = (json["Messages"]?.array ?? []).compactMap { SQS.Message($0) }
      if !messages.isEmpty || !isForever { return .init(messages: messages) }
    }
    return .init(messages: [])
  }

  // MARK: - Sending

  private func send(_ input: SQS.SendMessage.Input, _ call: Call) async throws(AWSError) -> SQS.SendMessage.Output {
    .init(sent: SQS.Sent(try await ask("SendMessage", input.queue, input.message.members, call)))
  }

  private func send(
    _ input: SQS.SendMessageBatch.Input, _ call: Call
  ) async throws(AWSError) -> SQS.SendMessageBatch.Output {
    let entries = input.entries.map { entry in
      JSONValue.object((entry.message.members + [("Id", .string(entry.id))]).map { .init($0.0, $0.1) })
    }
    let json = try await ask("SendMessageBatch", input.queue, [("Entries", .array(entries))], call)
    var result = SQS.BatchResult<SQS.Sent>()
    for entry in json["Successful"]?.array ?? [] {
      result.successful.append((entry["Id"]?.string ?? "", SQS.Sent(entry)))
    }
    result.failed = RemoteSQS.failures(json)
    return .init(result: result)
  }

  // MARK: - Batches

  private typealias Entries = [(id: String, more: [(String, JSONValue)])]

  /// Callers inside of the server name as many entries as they like.
  private func batches(
    _ operation: String, _ queue: SQS.QueueReference, _ entries: Entries, _ call: Call
  ) async throws(AWSError) -> SQS.BatchResult<Void> {
    let parts = stride(from: 0, to: entries.count, by: SQS.largestBatch).map { start in
      entries[start..<min(start + SQS.largestBatch, entries.count)].map { entry in
        JSONValue.object([.init("Id", .string(entry.id))] + entry.more.map { .init($0.0, $0.1) })
      }
    }
    var result = SQS.BatchResult<Void>()
    for start in stride(from: 0, to: parts.count, by: RemoteSQS.width) {
      let wave = parts[start..<min(start + RemoteSQS.width, parts.count)]
      let answers = await withTaskGroup(of: (Int, Result<JSONValue, AWSError>).self) { group in
        for (i, part) in zip(wave.indices, wave) {
          group.addTask {
            do throws(AWSError) {
              return (i, .success(try await self.ask(operation, queue, [("Entries", .array(part))], call)))
            } catch {
              return (i, .failure(error))
            }
          }
        }
        return await group.reduce(into: []) { $0.append($1) }
      }
      for (i, answer) in answers {
        switch answer {
        case .success(let json):
          result.successful += (json["Successful"]?.array ?? []).map { ($0["Id"]?.string ?? "", ()) }
          result.failed += RemoteSQS.failures(json)
        case .failure(let error):
          if parts.count == 1 { throw error }
          result.failed += parts[i].map { ($0["Id"]?.string ?? "", error) }
        }
      }
    }
    return result
  }

  private static func failures(_ json: JSONValue) -> [(id: String, error: AWSError)] {
    (json["Failed"]?.array ?? []).map { entry in
      let isSenders = entry["SenderFault"]?.bool ?? true
      return (
        entry["Id"]?.string ?? "",
        AWSError(entry["Code"]?.string ?? "", status: isSenders ? 400 : 500, entry["Message"]?.string ?? "")
      )
    }
  }

  // MARK: - Asking

  private func ask(
    _ operation: String, _ queue: SQS.QueueReference, _ members: [(String, JSONValue)], _ call: Call
  ) async throws(AWSError) -> JSONValue {
    let url = try await url(of: queue, call)
    do throws(AWSError) {
      return try await ask(operation, [("QueueUrl", .string(url))] + members, region: queue.region, call)
    } catch {
      // It may be made anew elsewhere.
      if error.code.hasSuffix("QueueDoesNotExist") { urls.withLock { $0[queue] = nil } }
      throw error
    }
  }

  private func url(of queue: SQS.QueueReference, _ call: Call) async throws(AWSError) -> String {
    if let known = urls.withLock({ $0[queue] }) { return known }
    let owner = queue.account.flatMap { $0 == call.place.account ? nil : $0.id }
    let url = try await url(queue.name, owner: owner, call)
    urls.withLock { $0[queue] = url }
    return url
  }

  private func url(_ name: String, owner: String?, _ call: Call) async throws(AWSError) -> String {
    let owner = owner.map { [("QueueOwnerAWSAccountId", JSONValue.string($0))] } ?? []
    let json = try await ask("GetQueueUrl", [("QueueName", .string(name))] + owner, region: nil, call)
    guard let url = json["QueueUrl"]?.string else {
      throw .endpointUnreachable(endpoint, "its answer to GetQueueUrl is none")
    }
    return url
  }

  private func ask(
    _ operation: String, _ members: [(String, JSONValue)], region: Region?, _ call: Call
  ) async throws(AWSError) -> JSONValue {
    let body = ByteBuffer(string: JSONValue.object(members.map { .init($0.0, $0.1) }).text)
    var headers: HTTPHeaders = [
      "Host": endpoint.address.hostHeader, "User-Agent": "Martlet", "Content-Type": "application/x-amz-json-1.0",
      "X-Amz-Target": "AmazonSQS.\(operation)",
    ]
    if let trace = call.traceHeader { headers.add(name: "X-Amzn-Trace-Id", value: trace) }
    if let keys = endpoint.keys {
      let place = region ?? call.place.region
      SignatureV4(keys: keys, region: endpoint.region ?? place.name, service: "sqs")
        .sign(
          "POST", "/", headers: &headers, payload: Digest.hex(Digest.sha256(body)),
          at: world.hostNow())
    }
    let reply: HTTPReply
    do throws(Fault) {
      reply = try await client.send(.POST, "/", headers: headers, body: body)
    } catch {
      throw .endpointUnreachable(endpoint, "\(error)")
    }
    let json = try? JSONValue(parsing: reply.body)
    guard reply.status == 200 else { throw RemoteSQS.error(reply, json) }
    // SQS answers nothing where there is nothing to say.
    return json ?? .object([])
  }

  private static func error(_ reply: HTTPReply, _ json: JSONValue?) -> AWSError {
    let type = json?["__type"]?.string ?? json?["code"]?.string ?? ""
    let code = type.split(separator: "#").last.map(String.init) ?? ""
    if json == nil, let error = xml(reply) { return error }
    let words = (json?["message"] ?? json?["Message"])?.string
    return AWSError(
      code.isEmpty ? "\(reply.status)" : code, status: reply.status,
      words ?? HTTPResponseStatus(statusCode: reply.status).reasonPhrase)
  }

  /// Some servers refuse callers whom they do not know before they have seen which protocol these speak.
  private static func xml(_ reply: HTTPReply) -> AWSError? {
    guard let element = try? XMLElement(parsing: reply.body.readableBytesView) else { return nil }
    let inner = element.child("Errors") ?? element
    guard let error = inner.child("Error"), let code = error["Code"] else { return nil }
    return AWSError(code, status: reply.status, error["Message"] ?? "")
  }
}

// MARK: - As JSON

extension SQS.Message {
  /// nil unless it has all that a message has.
  fileprivate init?(_ json: JSONValue) {
    guard let id = json["MessageId"]?.string, let receipt = json["ReceiptHandle"]?.string,
      let body = json["Body"]?.string
    else { return nil }
    self.init(id: id, receipt: receipt, body: body, bodyDigest: json["MD5OfBody"]?.string ?? Digest.md5(body))
    system = (json["Attributes"]?.members ?? []).map { (key: $0.name, value: $0.value.string ?? $0.value.text) }
    attributes = (json["MessageAttributes"]?.members ?? []).map { member in
      SQS.Attribute(
        name: member.name, type: member.value["DataType"]?.string ?? "String",
        string: member.value["StringValue"]?.string,
        binary: member.value["BinaryValue"]?.string.flatMap { Base64.decode($0) }.map { Array($0.readableBytesView) })
    }
  }
}

extension SQS.Sent {
  fileprivate init(_ json: JSONValue) {
    self.init(
      id: json["MessageId"]?.string ?? "", bodyDigest: json["MD5OfMessageBody"]?.string ?? "",
      attributesDigest: json["MD5OfMessageAttributes"]?.string,
      systemAttributesDigest: json["MD5OfMessageSystemAttributes"]?.string,
      sequenceNumber: json["SequenceNumber"]?.string)
  }
}

extension SQS.Outgoing {
  fileprivate var members: [(String, JSONValue)] {
    var members: [(String, JSONValue)] = [("MessageBody", .string(body))]
    if let delay { members.append(("DelaySeconds", .integer(Int64(delay)))) }
    if let groupID { members.append(("MessageGroupId", .string(groupID))) }
    if let deduplicationID { members.append(("MessageDeduplicationId", .string(deduplicationID))) }
    for (name, list) in [("MessageAttributes", attributes), ("MessageSystemAttributes", systemAttributes)]
    where !list.isEmpty {
      members.append((name, .object(list.map { .init($0.name, $0.json) })))
    }
    return members
  }
}

extension SQS.Attribute {
  fileprivate var json: JSONValue {
    .members(
      ("DataType", .string(type)), ("StringValue", string.map { .string($0) }),
      ("BinaryValue", binary.map { .string(Base64.encode($0)) }))
  }
}
