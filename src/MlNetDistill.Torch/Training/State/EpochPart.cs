namespace MlNetDistill.Training;

/// <summary>How far an epoch was when the state was saved in the middle of it.</summary>
/// <param name="Rounds">Rounds trained: batches, or of a bilevel stage groups of batches.</param>
/// <param name="Rows">Rows trained.</param>
/// <param name="Batches">Batches trained.</param>
/// <param name="Skipped">Batches that were not learnt from.</param>
/// <param name="Losses">The sums of the loss terms.</param>
/// <param name="Measures">What was measured; null if nothing was.</param>
/// <param name="Quiz">Of a bilevel stage, the rounds with a quiz and the sum of its losses; null in other stages.</param>
internal sealed record EpochPart(int Rounds, long Rows, int Batches, int Skipped, LossSums Losses, MeasureSums? Measures, QuizSum? Quiz);

/// <summary>The sums of the loss terms over a part of an epoch.</summary>
/// <param name="Steps">Number of steps.</param>
/// <param name="Sums">The sum of each term.</param>
/// <param name="First">The first value of each term in the stage; null for a term that has none yet.</param>
/// <param name="Reached">Whether some value of each term depended on the student.</param>
internal sealed record LossSums(int Steps, IReadOnlyList<double> Sums, IReadOnlyList<double?> First, IReadOnlyList<bool> Reached);

/// <summary>What was measured over a part of an epoch.</summary>
/// <param name="Steps">Number of steps.</param>
/// <param name="KnownSum">The sum of the gradient norms that were known.</param>
/// <param name="KnownLargest">The largest of these.</param>
/// <param name="Sum">The sum of those that were measured.</param>
/// <param name="Largest">The largest of these.</param>
/// <param name="LargestLogit">The largest logit.</param>
internal sealed record MeasureSums(int Steps, double KnownSum, double KnownLargest, double Sum, double Largest, double LargestLogit);

/// <summary>The sum of the losses of a quiz over a part of an epoch.</summary>
/// <param name="Rounds">Number of rounds.</param>
/// <param name="Sum">The sum of their losses.</param>
internal sealed record QuizSum(int Rounds, double Sum);
