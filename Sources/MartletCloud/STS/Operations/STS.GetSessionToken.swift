// GetSessionToken: temporary credentials for a user or for the account's root.
// https://docs.aws.amazon.com/STS/latest/APIReference/API_GetSessionToken.html
import MartletCore
import MartletWire

extension STS {
  enum GetSessionToken: Operation {
    static let route = Route.query("STS.GetSessionToken")

    struct Input: Readable {
      /// Seconds.
      let duration: Int?

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        duration = m.integer("DurationSeconds", in: 900...129_600)
        m.stsDevice()
      }
    }

    struct Output: Writable {
      let credentials: TemporaryCredentials

      func write(to w: inout Writer) { w.body { credentials.write(to: &$0) } }
    }

    private static let usualDuration = 43_200

    static func answer(_ input: Input, _ call: Call, _ sts: STSService) async throws(AWSError) -> Output {
      let caller = call.identity
      guard !caller.isSession else { throw .sessionCallsSession("GetSessionToken") }
      let asked = input.duration ?? usualDuration
      let seconds = caller.isRoot ? min(asked, STSService.longestForRoot) : asked
      return Output(credentials: sts.iam.credentials.issue(caller, seconds: seconds))
    }
  }
}
