namespace Service.Web;

/// <summary>The body of a request.</summary>
/// <param name="Features">The values of a row.</param>
internal sealed record ScoreRequest(float[]? Features);

/// <summary>The body of an answer.</summary>
/// <param name="Label">The most probable class.</param>
/// <param name="Probabilities">The probability of each class, by name.</param>
internal sealed record ScoreAnswer(string Label, IReadOnlyDictionary<string, float> Probabilities);
