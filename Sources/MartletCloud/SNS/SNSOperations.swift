// The table of the service: every operation of AWS's model, one row each.
import MartletCore
import MartletWire
import NIOCore

extension SNSService {
  /// The API's version, which clients send as `Version`.
  package static let version = "2010-03-31"
  package static let namespace = "http://sns.amazonaws.com/doc/2010-03-31/"

  package static let rows: [OperationRow<SNSService>] = [
    .init(SNS.AddPermission.self),
    .init(missing: .query("SNS.CheckIfPhoneNumberIsOptedOut")),
    .init(SNS.ConfirmSubscription.self),
    .init(missing: .query("SNS.CreatePlatformApplication")),
    .init(missing: .query("SNS.CreatePlatformEndpoint")),
    .init(missing: .query("SNS.CreateSMSSandboxPhoneNumber")),
    .init(SNS.CreateTopic.self),
    .init(missing: .query("SNS.DeleteEndpoint")),
    .init(missing: .query("SNS.DeletePlatformApplication")),
    .init(missing: .query("SNS.DeleteSMSSandboxPhoneNumber")),
    .init(SNS.DeleteTopic.self),
    .init(SNS.GetDataProtectionPolicy.self),
    .init(missing: .query("SNS.GetEndpointAttributes")),
    .init(missing: .query("SNS.GetPlatformApplicationAttributes")),
    .init(missing: .query("SNS.GetSMSAttributes")),
    .init(missing: .query("SNS.GetSMSSandboxAccountStatus")),
    .init(SNS.GetSubscriptionAttributes.self),
    .init(SNS.GetTopicAttributes.self),
    .init(missing: .query("SNS.ListEndpointsByPlatformApplication")),
    .init(missing: .query("SNS.ListOriginationNumbers")),
    .init(missing: .query("SNS.ListPhoneNumbersOptedOut")),
    .init(missing: .query("SNS.ListPlatformApplications")),
    .init(missing: .query("SNS.ListSMSSandboxPhoneNumbers")),
    .init(SNS.ListSubscriptions.self),
    .init(SNS.ListSubscriptionsByTopic.self),
    .init(SNS.ListTagsForResource.self),
    .init(SNS.ListTopics.self),
    .init(missing: .query("SNS.OptInPhoneNumber")),
    .init(SNS.Publish.self),
    .init(SNS.PublishBatch.self),
    .init(SNS.PutDataProtectionPolicy.self),
    .init(SNS.RemovePermission.self),
    .init(missing: .query("SNS.SetEndpointAttributes")),
    .init(missing: .query("SNS.SetPlatformApplicationAttributes")),
    .init(missing: .query("SNS.SetSMSAttributes")),
    .init(SNS.SetSubscriptionAttributes.self),
    .init(SNS.SetTopicAttributes.self),
    .init(SNS.Subscribe.self),
    .init(SNS.TagResource.self),
    .init(SNS.Unsubscribe.self),
    .init(SNS.UntagResource.self),
    .init(missing: .query("SNS.VerifySMSSandboxPhoneNumber")),
  ]
}

/// SNS on the wire: the query protocol, and the certificate that messages are verified with.
package struct SNSWireService: WireService {
  private let service: SNSService
  private let query: QueryService<SNSService>

  package init(_ service: SNSService, door: Door) {
    self.service = service
    query = QueryService(
      service, rows: SNSService.rows, version: SNSService.version, namespace: SNSService.namespace, door: door)
  }

  /// True of the path of a certificate.
  package static func isCertificate(_ path: Substring) -> Bool {
    path.hasSuffix(NotificationSigner.suffix) && path.hasPrefix("/\(NotificationSigner.prefix)")
  }

  package func answer(_ request: HTTPRequest, _ call: Call) async -> HTTPReply {
    guard SNSWireService.isCertificate(request.path) else { return await query.answer(request, call) }
    guard let certificate = service.signer.certificate(named: String(request.path.dropFirst())) else {
      return HTTPReply(
        status: 404, headers: [("Content-Type", "text/plain")], body: ByteBuffer(string: "No such certificate.\n"))
    }
    return HTTPReply(
      status: 200, headers: [("Content-Type", "application/x-x509-ca-cert")], body: ByteBuffer(string: certificate))
  }
}
