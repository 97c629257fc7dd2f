// Samples: what user pools ask and tell.

extension SampleEvent {
  private static let pool = [
    Field("pool", "{{region}}_{{letters9}}", "Id of the user pool."), Field("user", "my-user", "Name of the user."),
    Field("client", "{{letters26}}", "Id of the client."),
    Field("attributes", #"{"email":"user@example.com"}"#, "userAttributes, a JSON object."),
  ]

  static let identity = [
    trigger(
      "pre-sign-up", "PreSignUp_SignUp", "A user signs up.", #","validationData":{},"clientMetadata":{}"#,
      #"{"autoConfirmUser":false,"autoVerifyEmail":false,"autoVerifyPhone":false}"#),
    trigger(
      "post-confirmation", "PostConfirmation_ConfirmSignUp", "A user was confirmed.", #","clientMetadata":{}"#, "{}"),
    trigger(
      "pre-authentication", "PreAuthentication_Authentication", "A user signs in.", #","validationData":{}"#, "{}"),
    trigger(
      "post-authentication", "PostAuthentication_Authentication", "A user has signed in.", #","newDeviceUsed":false"#,
      "{}"),
    trigger(
      "custom-message", "CustomMessage_SignUp", "A user gets a message.",
      #","codeParameter":"\u0023\u0023\u0023\u0023","usernameParameter":"{username}""#,
      #"{"smsMessage":null,"emailMessage":null,"emailSubject":null}"#),
    trigger(
      "token-generation", "TokenGeneration_Authentication", "A user gets tokens.",
      #","groupConfiguration":{"groupsToOverride":[],"iamRolesToOverride":[],"preferredRole":null}"#,
      #"{"claimsOverrideDetails":null}"#),
    trigger(
      "define-auth-challenge", "DefineAuthChallenge_Authentication", "Which challenge comes next?", #","session":[]"#,
      #"{"challengeName":null,"issueTokens":null,"failAuthentication":null}"#),
    trigger(
      "create-auth-challenge", "CreateAuthChallenge_Authentication", "A challenge is wanted.",
      #","challengeName":"CUSTOM_CHALLENGE","session":[]"#,
      #"{"publicChallengeParameters":null,"privateChallengeParameters":null,"challengeMetadata":null}"#),
    trigger(
      "verify-auth-challenge", "VerifyAuthChallengeResponse_Authentication", "Is the answer right?",
      #","privateChallengeParameters":{"answer":"42"},"challengeAnswer":"42""#, #"{"answerCorrect":null}"#),
    trigger(
      "user-migration", "UserMigration_Authentication", "An unknown user signs in.",
      #","password":"my-password","validationData":{},"clientMetadata":{}"#,
      #"{"userAttributes":null,"finalUserStatus":null,"messageAction":null}"#),
  ]

  private static func trigger(
    _ type: String, _ source: String, _ abstract: String, _ request: String, _ response: String
  ) -> SampleEvent {
    SampleEvent(
      "cognito", type,
      "\(abstract.dropLast(abstract.hasSuffix(".") ? 1 : 0)) (\(source))\(abstract.hasSuffix(".") ? "." : "")",
      pool,
      #"{"version":"1","triggerSource":"\#(source)","region":"{{region}}","userPoolId":"{{pool}}","#
        + #""userName":"{{user}}","callerContext":{"awsSdkVersion":"aws-sdk-unknown-unknown","clientId":"{{client}}"},"#
        + #""request":{"userAttributes":"{{attributes|json}}"\#(request)},"response":\#(response)}"#)
  }
}
