// DeleteFunction: a function with all of its versions, or one version.
// https://docs.aws.amazon.com/lambda/latest/api/API_DeleteFunction.html
import MartletCore
import MartletWire

extension Lambda {
  enum DeleteFunction: Operation {
    /// The model says 200, but AWS answers 204 and the model's `StatusCode` is that number.
    static let route = Route.rest("Lambda.DeleteFunction", .delete, "/2015-03-31/functions/{FunctionName}")

    struct Input: Readable {
      let name: FunctionNameParts?
      let qualifier: String?

      init(_ r: Reader) throws(AWSError) {
        name = r.functionName()
        qualifier = r.qualifier()
      }
    }

    struct Output: Writable {
      func write(to w: inout Writer) { w.status = 204 }
    }

    static func answer(_ input: Input, _ call: Call, _ lambda: LambdaService) async throws(AWSError) -> Output {
      let function = try lambda.reference(input.name, qualifier: input.qualifier, call)
      var version: VersionName?
      if let qualifier = function.qualifier {
        if qualifier == "$LATEST" { throw .latestNotDeletable() }
        if isAliasName(qualifier) { throw .aliasNotDeletable() }
        version = VersionName(qualifier)
      }
      try await lambda.functions.change(function.key) {
        [version] (after: inout FunctionRecord?) throws(AWSError) -> Void in
        guard var record = after else { throw .functionNotFound(function.unqualifiedARN) }
        guard function.qualifier != nil else {
          after = nil
          return
        }
        guard let version, case .number(let number) = version else { return }
        let aliases = record.aliases.values.filter { $0.versions.contains(version) }.map(\.name)
        if let alias = aliases.min() { throw .versionReferenced(version, by: alias) }
        record.remove(number: number)
        record.removeAttachments(of: version.description)
        after = record
      }
      return Output()
    }

    /// An alias has letters, digits, hyphens and underscores, and not digits alone.
    private static func isAliasName(_ text: String) -> Bool {
      text.utf8.contains { !(48...57).contains($0) } && !text.contains("$")
    }
  }
}
