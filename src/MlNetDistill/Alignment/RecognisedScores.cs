using Microsoft.ML;
using Microsoft.ML.Trainers;

namespace MlNetDistill.Alignment;

/// <summary>What the scores of a known ML.NET model are, where the caller does not say it.</summary>
/// <param name="Kind">What they are; <see cref="ScoreKind.Auto"/> where they must turn out to be probabilities.</param>
/// <param name="Hint">What to do where they do not, or null.</param>
/// <param name="Note">What the log says of it, or null.</param>
internal sealed record RecognisedScores(ScoreKind Kind, string? Hint = null, string? Note = null)
{
    /// <summary>Nothing is known.</summary>
    public static RecognisedScores None { get; } = new(ScoreKind.Auto);

    /// <summary>By the last predictor in a model, whose scores these are under the name that predictors give them; a copy under another may be of an earlier one.</summary>
    public static RecognisedScores Of(ITransformer model, string scoreColumnName) => scoreColumnName != "Score" ? None : LastPredictor(model) switch
    {
        // Its scores are log p(class) + Σ log p(feature | class): softmax gives its posterior.
        ISingleFeaturePredictionTransformer<NaiveBayesMulticlassModelParameters> => new(
            ScoreKind.Logits, null, "The teacher is a naive Bayes model, whose scores are joint log-probabilities: they are taken as logits."),
        ISingleFeaturePredictionTransformer<OneVersusAllModelParameters> => new(
            ScoreKind.Auto,
            "The teacher is a one-versus-all model, so these are its classifiers' uncalibrated margins: give ScoreKind.Margins, or better, leave " +
            "useProbabilities of OneVersusAll on, with a trainer that is calibrated."),
        _ => None,
    };

    private static ITransformer? LastPredictor(ITransformer model) => model is IEnumerable<ITransformer> chain
        ? chain.Select(LastPredictor).LastOrDefault(found => found is not null)
        : model is IPredictionTransformer<object> ? model : null;
}
