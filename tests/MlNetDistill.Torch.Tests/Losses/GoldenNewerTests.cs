using System.Text.Json;
using MlNetDistill.Losses;
using static TorchSharp.torch;

namespace MlNetDistill.Tests;

/// <summary>newer.json, made by the authors' code: value and gradient of NKD, TTM and WTTM.</summary>
public sealed class GoldenNewerTests
{
    private const string File = "newer.json";

    private static readonly Dictionary<string, string> LeftOut = new()
    {
        ["simkd"] = "checked elsewhere: a loss on features with a projection that is kept",
        ["simkd_vector"] = "checked elsewhere: a loss on features with a projection that is kept",
    };

    public static IEnumerable<TestCaseData> Covered() => GoldenRecord.Cases(File, r => LossOf(r) is not null);

    [TestCaseSource(nameof(Covered))]
    public void A_loss_and_its_gradient_equal_the_reference(JsonElement json)
    {
        using var scope = NewDisposeScope();
        var record = new GoldenRecord(json);
        var (student, teacher) = record.Pair("inputs_logits.json");
        record.Compare(LossProbe.Evaluate(LossOf(record)!, student, teacher, Labels(record)));
    }

    [TestCaseSource(nameof(Covered))]
    public void The_pure_function_gives_the_same_value(JsonElement json)
    {
        using var scope = NewDisposeScope();
        var record = new GoldenRecord(json);
        var (student, teacher) = record.Pair("inputs_logits.json");
        var value = LossOf(record) switch
        {
            NkdLoss nkd => NkdLoss.Compute(student, teacher, Labels(record), nkd.Gamma, nkd.Temperature),
            TtmLoss ttm => TtmLoss.Compute(student, teacher, ttm.Exponent),
            WttmLoss wttm => WttmLoss.Compute(student, teacher, wttm.Exponent),
            _ => throw new NotSupportedException(record.Name),
        };
        record.CompareLoss(value.to(float64).item<double>());
    }

    [Test]
    public void All_records_are_accounted_for() => GoldenAccount.Check(File, r => LossOf(r) is not null, LeftOut);

    private static Tensor Labels(GoldenRecord record) => tensor(Golden.Integers(Golden.LogitsCase(record.Case).GetProperty("target")));

    private static DistillationLoss? LossOf(GoldenRecord record) => record.Name switch
    {
        "nkd" => new NkdLoss(record.Number("gamma"), record.Number("temperature")),
        "ttm" => new TtmLoss(record.Number("exponent")),
        "wttm" => new WttmLoss(record.Number("exponent")),
        _ => null,
    };
}
