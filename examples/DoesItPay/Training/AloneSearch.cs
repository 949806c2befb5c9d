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
/// <param name="IsAtEdge">Whether no rate beyond this one was tried, so that one might be better.</param>
/// <param name="Tried">Every setting with its accuracy.</param>
internal sealed record AloneSetting(double LearningRate, int Epochs, double HeldOutAccuracy, bool IsAtEdge, IReadOnlyList<string> Tried)
{
    public DistillationOptions Options(Assignment work) => work.Alone(Epochs) with { Optimizer = Optimizer.AdamW(LearningRate) };
}

/// <summary>
/// Chooses rate and length of training for the student alone: some rates and, where the best is the first or last, rates beyond; then longer trainings. They are judged
/// on held-out labelled rows, a fifth of them; with fewer than 2,500 rows on each fifth in turn.
/// </summary>
internal static class AloneSearch
{
    private const int Folds = 5;
    private const int ManyRows = 2500;
    private const int MostBeyond = 3;
    private static readonly double[] Rates = [0.002, 0.005, 0.01, 0.02, 0.05];

    /// <summary>The grid as text.</summary>
    public static string Describe(Assignment work) => FormattableString.Invariant(
        $"{work.Alone(work.EpochsAlone ?? work.Epochs)}\nrates {string.Join(' ', Rates)} and beyond, lengths {string.Join(' ', LongerLengths(work, 1))} or longer, {work.EpochsAlone}");

    /// <summary>Runs the search.</summary>
    public static AloneSetting Run(Assignment work, bool quick)
    {
        var usual = work.EpochsAlone ?? work.Epochs ?? DefaultEpochs(work);
        var folds = Divide(work.Sample.Labelled, work.Seed, quick);
        var tried = (quick ? Rates[2..3] : Rates).Select(rate => Try(rate, usual)).ToList();
        // Where the best rate is the first or last of those tried, the better one may be beyond.
        for (var more = quick ? 0 : MostBeyond; more > 0 && Beyond(tried) is { } rate; more--)
            tried.Add(Try(rate, usual));
        // The longer the training, the smaller the best rate.
        var best = Best(tried).LearningRate;
        tried.AddRange(from length in quick ? [] : LongerLengths(work, usual) from rate in new[] { best, best / 2, best / 4 } select Try(rate, length));
        return Best(tried) with
        {
            IsAtEdge = Beyond(tried) is not null,
            Tried = [.. tried.Select(setting => FormattableString.Invariant($"rate {setting.LearningRate}, {setting.Epochs} epochs: {100 * setting.HeldOutAccuracy:0.00} %"))],
        };

        AloneSetting Try(double rate, int length)
        {
            var setting = new AloneSetting(rate, length, 0, false, []);
            return setting with { HeldOutAccuracy = folds.Average(fold => Accuracy(work, setting, fold)) };
        }
    }

    /// <summary>The first of several equal ones, which is the shorter.</summary>
    private static AloneSetting Best(List<AloneSetting> tried) => tried.MaxBy(setting => setting.HeldOutAccuracy)!;

    /// <summary>A rate beyond those tried, if the best is at their end.</summary>
    private static double? Beyond(List<AloneSetting> tried)
    {
        var best = Best(tried);
        double[] rates = [.. tried.Where(setting => setting.Epochs == best.Epochs).Select(setting => setting.LearningRate)];
        return best.LearningRate == rates.Max() ? 2 * best.LearningRate : best.LearningRate == rates.Min() ? best.LearningRate / 2 : null;
    }

    /// <summary>
    /// Three times the usual passes and, with few labelled rows, as many as have the steps of the usual passes over all rows; none where the number of steps is given.
    /// </summary>
    private static IEnumerable<int> LongerLengths(Assignment work, int usual)
    {
        if (work.EpochsAlone is not null)
            return [];
        var all = work.Options(work.Epochs).Epochs * work.Sample.All.Length / work.Sample.Labelled.Length;
        return new[] { 3 * usual, all }.Where(length => length > usual).Distinct();
    }

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
