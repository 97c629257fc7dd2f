// Samples: what buckets tell.

extension SampleEvent {
  static let bucketFields = [
    Field("bucket", "my-bucket", "Name of the bucket."), Field("key", "test/key", "Key of the object."),
  ]

  static let storage = [
    notification("put", "ObjectCreated:Put", "An object was written.", true),
    notification("post", "ObjectCreated:Post", "An object was written from a form.", true),
    notification("copy", "ObjectCreated:Copy", "An object was copied.", true),
    notification("multipart", "ObjectCreated:CompleteMultipartUpload", "An object was uploaded in parts.", true),
    notification("delete", "ObjectRemoved:Delete", "An object was deleted.", false),
    notification(
      "delete-marker", "ObjectRemoved:DeleteMarkerCreated", "An object of a versioned bucket was deleted.", false,
      version: true),
    SampleEvent(
      "s3", "test", "What a queue or topic gets when notifications are configured.", [bucketFields[0]],
      #"""
      {"Service":"Amazon S3","Event":"s3:TestEvent","Time":"{{now}}","Bucket":"{{bucket}}",
       "RequestId":"{{HEX16}}","HostId":"{{hex64|base64}}"}
      """#),
    SampleEvent(
      "s3", "batch", "A task of an S3 Batch Operations job.", bucketFields,
      #"""
      {"invocationSchemaVersion":"1.0","invocationId":"{{hex64|base64}}","job":{"id":"{{uuid}}"},
       "tasks":[{"taskId":"{{hex32|base64}}","s3Key":"{{key|form}}","s3VersionId":"1",
        "s3BucketArn":"arn:aws:s3:::{{bucket}}"}]}
      """#),
  ]

  private static func notification(
    _ type: String, _ name: String, _ abstract: String, _ hasContent: Bool, version: Bool = false
  ) -> SampleEvent {
    var fields = bucketFields
    var object = #""key":"{{key|form}}""#
    if hasContent {
      fields += [Field("size", "1024", "Bytes."), Field("etag", "{{hex32}}", "ETag.")]
      object += #","size":"{{size|number}}","eTag":"{{etag}}""#
    }
    if version {
      fields.append(Field("version", "{{letters32}}", "Version of the object."))
      object += #","versionId":"{{version}}""#
    }
    fields.append(Field("configuration", "my-notification", "Id of the notification."))
    return SampleEvent(
      "s3", type, abstract, fields,
      #"{"Records":[{"eventVersion":"2.1","eventSource":"aws:s3","awsRegion":"{{region}}","eventTime":"{{now}}","#
        + #""eventName":"\#(name)","userIdentity":{"principalId":"AWS:AIDA{{HEX16}}"},"#
        + #""requestParameters":{"sourceIPAddress":"203.0.113.7"},"#
        + #""responseElements":{"x-amz-request-id":"{{HEX16}}","x-amz-id-2":"{{hex64|base64}}"},"#
        + #""s3":{"s3SchemaVersion":"1.0","configurationId":"{{configuration}}","#
        + #""bucket":{"name":"{{bucket}}","ownerIdentity":{"principalId":"A{{HEX13}}"},"arn":"arn:aws:s3:::{{bucket}}"},"#
        + #""object":{\#(object),"sequencer":"{{HEX18}}"}}}]}"#)
  }
}
