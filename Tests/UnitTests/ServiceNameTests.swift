// Which service a request is for: the golden list.
import MartletWire
import NIOCore
import NIOHTTP1
import Testing

@testable import MartletServer

@Suite struct ServiceNameTests {
  struct Golden: Sendable, CustomTestStringConvertible {
    let service: String
    let method: HTTPMethod
    let uri: String
    let headers: [(String, String)]
    let body: String
    let scope: String?

    init(
      _ service: String, _ method: HTTPMethod, _ uri: String, _ headers: [(String, String)] = [], body: String = "",
      scope: String? = nil
    ) {
      self.service = service
      self.method = method
      self.uri = uri
      self.headers = headers
      self.body = body
      self.scope = scope
    }

    var testDescription: String { "\(method) \(uri) \(headers) \(scope ?? "")" }
  }

  private static let form = ("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")

  static let all: [Golden] = [
    // The signature counts most.
    .init("lambda", .GET, "/", scope: "K/20260102/us-east-1/lambda/aws4_request"),
    .init("iam", .POST, "/2015-03-31/functions", [form], scope: "K/20260102/us-east-1/iam/aws4_request"),
    .init("s3", .GET, "/2015-03-31/functions", scope: "a/b/20260102/us-east-1/s3/aws4_request"),
    .init("xyz", .GET, "/", scope: "K/20260102/us-east-1/xyz/aws4_request"),
    // The target header.
    .init("sqs", .POST, "/", [("X-Amz-Target", "AmazonSQS.SendMessage")]),
    .init("dynamodb", .POST, "/", [("X-Amz-Target", "DynamoDB_20120810.GetItem")]),
    .init("dynamodb", .POST, "/", [("x-amz-target", "DynamoDBStreams_20120810.GetRecords")]),
    .init("kinesis", .POST, "/", [("X-Amz-Target", "Kinesis_20131202.PutRecord")]),
    .init(
      "cloudtrail", .POST, "/",
      [("X-Amz-Target", "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.LookupEvents")]),
    .init("s3", .POST, "/", [("X-Amz-Target", "NoSuch.Target")]),
    // The host.
    .init("iam", .POST, "/", [("Host", "iam.amazonaws.com")]),
    .init("sts", .POST, "/", [("Host", "sts.eu-west-1.amazonaws.com:443")]),
    .init("lambda", .GET, "/", [("Host", "lambda.us-east-1.amazonaws.com")]),
    .init("lambda", .GET, "/", [("Host", "lambda.us-east-1.localhost:4566")]),
    .init("s3", .GET, "/2015-03-31/functions", [("Host", "s3.us-east-1.amazonaws.com")]),
    .init("s3", .GET, "/k", [("Host", "my.bucket.s3.eu-west-1.amazonaws.com")]),
    .init("s3", .GET, "/k", [("Host", "bucket.s3.localhost:4566")]),
    .init("s3", .GET, "/k", [("Host", "bucket.s3-eu-west-1.amazonaws.com")]),
    .init("dynamodb", .POST, "/", [("Host", "streams.dynamodb.us-east-1.amazonaws.com")]),
    .init("lambda", .GET, "/2015-03-31/functions", [("Host", "lambda:4566")]),
    .init("lambda", .GET, "/2015-03-31/functions", [("Host", "s3.example.com")]),
    // A form.
    .init("iam", .POST, "/", [form], body: "Action=ListRoles&Version=2010-05-08"),
    .init("sts", .POST, "/", [form], body: "Version=2011-06-15&Action=GetCallerIdentity"),
    .init("sts", .GET, "/?Action=GetCallerIdentity&Version=2011-06-15"),
    .init("sqs", .POST, "/", [("Host", "127.0.0.1:4566"), form], body: "Action=SendMessage&Version=2012-11-05"),
    .init("sns", .POST, "/", [form], body: "Action=Publish&Version=2010-03-31"),
    // Links in messages of SNS.
    .init("sns", .GET, "/?Action=ConfirmSubscription&TopicArn=arn:aws:sns:us-east-1:111111111111:t&Token=1"),
    .init("sns", .GET, "/?Action=Unsubscribe&SubscriptionArn=a"),
    .init("sns", .GET, "/SimpleNotificationService-0123.pem"),
    .init("s3", .GET, "/?Action=ListRoles"),
    .init("s3", .POST, "/", [form], body: "Action=X&Version=1999-01-01"),
    .init("s3", .POST, "/", [form], body: "%%%&&&=&Version=2010-05-08"),
    // The path.
    .init("lambda", .POST, "/2015-03-31/functions/f/invocations"),
    .init("lambda", .GET, "/2025-12-01/anything"),
    .init("lambda", .GET, "//2015-03-31//functions"),
    .init("s3", .GET, "/bucket/2015-03-31/functions"),
    .init("s3", .GET, "/2015-03-3x/functions"),
    .init("lambda", .OPTIONS, "*"),
    .init("lambda", .GET, "http://elsewhere/2015-03-31/functions"),
    .init("s3", .GET, "/"),
  ]

  @Test(arguments: all) func names(_ golden: Golden) {
    let request = HTTPRequest(
      method: golden.method, uri: golden.uri, headers: HTTPHeaders(golden.headers),
      body: ByteBuffer(string: golden.body))
    let credential = golden.scope.flatMap { Credential(scope: $0) }
    #expect(ServiceName.of(request, credential) == golden.service)
  }
}
