using DoesItPay.Data;
using Microsoft.ML;
using Microsoft.ML.Data;
using MlNetDistill;
using MlNetDistill.Methods;

namespace DoesItPay.Training;

/// <summary>What a search chose for the student alone.</summary>
/// <param name="LearningRate">The highest learning rate.</param>
/// <param name="Epochs">Passes over the labelled rows.</param>
/// <param name="HeldOutAccuracy">Accuracy on the held-out rows.</param>
/// <param name="IsAtEdge">Whether the grid ends at this rate, so that a rate outside might be better.</param>
/// <param name="Tried">Every setting with its accuracy.</param>
internal sealed record AloneSetting(double LearningRate, int Epochs, double HeldOutAccuracy, bool IsAtEdge, IReadOnlyList<string> Tried)
{
    public DistillationOptions Options(Assignment work) => work.Alone(Epochs) with { Optimizer = Optimizer.AdamW(LearningRate) };
}

/// <summary>
/// Chooses rate and length of training for the student alone: a grid, judged on held-out labelled rows, a fifth of them; with fewer than 2,500 rows each fifth in turn.
/// </summary>
internal static class AloneSearch
{
    private const int Folds = 5;
    private const int ManyRows = 2500;
    private const int QuickRates = 2;
    private static readonly double[] Rates = [0.005, 0.01, 0.02, 0.05, 0.002];

    /// <summary>The grid as text.</summary>
    public static string Describe(Assignment work) =>
        FormattableString.Invariant($"{work.Alone(work.EpochsAlone)}\nrates {string.Join(' ', Rates)}, as long, three times as long, and as many steps as with all rows: {Full(work)} epochs");

    /// <summary>Runs the search.</summary>
    public static AloneSetting Run(Assignment work, bool quick)
    {
        var rates = quick ? Rates[..QuickRates] : Rates;
        var usual = work.EpochsAlone ?? DefaultEpochs(work);
        int[] lengths = quick ? [usual] : [.. new[] { usual, 3 * usual, Full(work) }.Distinct().Order()];
        var folds = Divide(work.Sample.Labelled, work.Seed, quick);
        var tried = (
            from length in lengths
            from rate in rates
            let setting = new AloneSetting(rate, length, 0, rate == rates.Min() || rate == rates.Max(), [])
            select setting with { HeldOutAccuracy = folds.Average(fold => Accuracy(work, setting, fold)) }).ToList();
        // The first of several equal ones: the shorter.
        return tried.MaxBy(setting => setting.HeldOutAccuracy)! with
        {
            Tried = [.. tried.Select(setting => FormattableString.Invariant($"rate {setting.LearningRate}, {setting.Epochs} epochs: {100 * setting.HeldOutAccuracy:0.00} %"))],
        };
    }

    /// <summary>Passes over the labelled rows that are as many steps as the usual passes over all rows; nothing is added where the number of steps is given.</summary>
    private static int Full(Assignment work) =>
        work.EpochsAlone ?? work.Options(work.Epochs).Epochs * work.Sample.All.Length / work.Sample.Labelled.Length;

    /// <summary>The library's default depends on the rows, so it is read from a fit.</summary>
    private static int DefaultEpochs(Assignment work) =>
        Student(work.Fit(work.Alone(null), work.Views.View(work.Sample.Labelled))).History.Count;

    private static DistilledStudent Student(ITransformer model) => model.FindStudent().Model;

    private static List<(Record[] Train, Record[] HeldOut)> Divide(Record[] rows, int seed, bool quick)
    {
        var (folds, rest) = (new List<Record[]>(), rows);
        for (var left = Folds; left > 1; left--)
        {
            (var fold, rest) = Sample.Split(rest, 1.0 / left, seed, fewestOfAClass: 0);
            folds.Add(fold);
        }

        folds.Add(rest);
        var divided = folds.Where(fold => fold.Length > 0).Select(fold => (rows.Except(fold).ToArray(), fold));
        return [.. divided.Take(quick || rows.Length >= ManyRows ? 1 : Folds)];
    }

    private static double Accuracy(Assignment work, AloneSetting setting, (Record[] Train, Record[] HeldOut) fold)
    {
        var model = work.Fit(setting.Options(work), work.Views.View(fold.Train));
        var scored = model.Transform(work.Views.View(fold.HeldOut));
        return scored.GetColumn<uint>("PredictedLabel").Zip(scored.GetColumn<uint>("Class")).Average(row => row.First == row.Second ? 1.0 : 0);
    }
}
