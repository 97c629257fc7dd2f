// SNS at a remote endpoint: what other services publish leaves by the query protocol over HTTP, signed. See
// docs/remote-endpoints.md.
import MartletCore
import NIOCore
import NIOHTTP1

package struct RemoteSNS: Sendable {
  private let endpoint: RemoteEndpoint
  private let world: any World
  private let client: HTTPClient

  package init(
    _ endpoint: RemoteEndpoint, world: any World, security: (any TransportSecurity)? = nil,
    patience: HTTPClient.Patience = .init()
  ) {
    self.endpoint = endpoint
    self.world = world
    client = HTTPClient(endpoint.address, patience: patience, security: security)
  }

  /// - Throws: the endpoint's refusal, or that it could not be used.
  package func publish(_ input: SNS.Publish.Input, _ call: Call) async throws(AWSError) -> SNS.Publish.Output {
    var form = [("Action", "Publish"), ("Version", "2010-03-31"), ("Message", input.outgoing.message)]
    func add(_ name: String, _ value: String?) { if let value { form.append((name, value)) } }
    add("TopicArn", input.topic)
    add("TargetArn", input.target)
    add("PhoneNumber", input.phoneNumber)
    add("Subject", input.outgoing.subject)
    add("MessageStructure", input.outgoing.structure)
    add("MessageGroupId", input.outgoing.groupID)
    add("MessageDeduplicationId", input.outgoing.deduplicationID)
    for (i, attribute) in input.outgoing.attributes.enumerated() {
      let entry = "MessageAttributes.entry.\(i + 1)"
      add("\(entry).Name", attribute.name)
      add("\(entry).Value.DataType", attribute.type)
      add("\(entry).Value.StringValue", attribute.string)
      add("\(entry).Value.BinaryValue", attribute.binary.map { Base64.encode($0) })
    }
    let result = try await ask(form, call)
    guard let id = result["MessageId"] else {
      throw .endpointUnreachable(endpoint, "its answer to Publish is none")
    }
    return .init(.init(id: id, sequenceNumber: result["SequenceNumber"]))
  }

  private func ask(_ form: [(String, String)], _ call: Call) async throws(AWSError) -> XMLElement {
    let text = form.map { "\($0.0)=\(Percent.encode($0.1))" }.joined(separator: "&")
    let body = ByteBuffer(string: text)
    var headers: HTTPHeaders = [
      "Host": endpoint.address.hostHeader, "User-Agent": "Martlet",
      "Content-Type": "application/x-www-form-urlencoded; charset=utf-8",
    ]
    if let trace = call.traceHeader { headers.add(name: "X-Amzn-Trace-Id", value: trace) }
    if let keys = endpoint.keys {
      SignatureV4(keys: keys, region: endpoint.region ?? call.place.region.name, service: "sns")
        .sign("POST", "/", headers: &headers, payload: Digest.hex(Digest.sha256(body)), at: world.hostNow())
    }
    let reply: HTTPReply
    do throws(Fault) {
      reply = try await client.send(.POST, "/", headers: headers, body: body)
    } catch {
      throw .endpointUnreachable(endpoint, "\(error)")
    }
    let document = try? XMLElement(parsing: reply.body.readableBytesView)
    guard reply.status == 200 else {
      let error = document?.child("Error")
      throw AWSError(
        error?["Code"] ?? "\(reply.status)", status: reply.status,
        error?["Message"] ?? HTTPResponseStatus(statusCode: reply.status).reasonPhrase)
    }
    guard let result = document?.child("PublishResult") else {
      throw .endpointUnreachable(endpoint, "its answer to Publish is none")
    }
    return result
  }
}
