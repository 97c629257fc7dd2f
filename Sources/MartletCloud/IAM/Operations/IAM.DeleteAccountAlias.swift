// DeleteAccountAlias: takes the alias from the account.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteAccountAlias.html
import MartletCore
import MartletStore
import MartletWire

extension IAM {
  enum DeleteAccountAlias: Operation {
    static let route = Route.query("IAM.DeleteAccountAlias")

    struct Input: Readable {
      let alias: String

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        alias = m.required(
          "AccountAlias", .length(3, 63), .pattern(Pattern("^[a-z0-9]([a-z0-9]|-(?!-)){1,61}[a-z0-9]$")))
      }
    }

    typealias Output = Empty

    static func answer(_ input: Input, _ call: Call, _ iam: IAMService) async throws(AWSError) -> Output {
      try await iam.aliases.change(AccountAlias.key(IAMService.place(call))) {
        (after: inout AccountAlias?) throws(AWSError) -> Void in
        guard after?.alias == input.alias else { throw .accountAliasNotFound(input.alias) }
        after = nil
      }
      return Empty()
    }
  }
}
