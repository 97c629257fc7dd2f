// GetFunction: one version's configuration, a link to its package, and the function's tags.
// https://docs.aws.amazon.com/lambda/latest/api/API_GetFunction.html
import MartletCore
import MartletWire

extension Lambda {
  enum GetFunction: Operation {
    static let route = Route.rest("Lambda.GetFunction", .get, "/2015-03-31/functions/{FunctionName}")

    struct Input: Readable {
      let name: FunctionNameParts?
      let qualifier: String?

      init(_ r: Reader) throws(AWSError) {
        name = r.functionName()
        qualifier = r.qualifier()
      }
    }

    struct Output: Writable {
      let configuration: FunctionConfiguration
      let arn: String
      let location: String
      /// nil if there are none, or if a version was asked for.
      let tags: [(key: String, value: String)]?
      let reserved: Int?

      func write(to w: inout Writer) {
        w.body {
          $0.object("Configuration") { configuration.write(to: &$0, arn: arn) }
          $0.object("Code") {
            if let image = configuration.image {
              $0.member("RepositoryType", "ECR")
              $0.member("ImageUri", image.uri)
              $0.member("ResolvedImageUri", image.resolvedURI)
            } else {
              $0.member("RepositoryType", "S3")
              $0.member("Location", location)
            }
            $0.member("SourceKMSKeyArn", configuration.sourceKeyARN)
          }
          $0.member("Tags", tags)
          if let reserved { $0.object("Concurrency") { $0.member("ReservedConcurrentExecutions", reserved) } }
        }
      }
    }

    static func answer(_ input: Input, _ call: Call, _ lambda: LambdaService) async throws(AWSError) -> Output {
      let found = try lambda.find(input.name, qualifier: input.qualifier, call)
      let tags = found.reference.qualifier == nil && !found.record.tags.isEmpty ? found.record.tags : nil
      return Output(
        configuration: found.configuration, arn: found.shownARN,
        location: lambda.packages.link(to: found.configuration.code, host: call.host), tags: tags,
        reserved: found.record.reserved)
    }
  }
}
