using MlNetDistill.Cache;
using MlNetDistill.Core;
using MlNetDistill.Data;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using MlNetDistill.Training;

namespace MlNetDistill.Hostile.Uses;

/// <summary>Settings that are out of range, missing, or at odds with each other: all are told when the trainer is made.</summary>
internal static class OptionCases
{
    public static IEnumerable<Case> All => Validate().Select(fault => Case.Refused(fault.Name, () => Sample.Trainer(fault.Options), fault.Words) with { IsQuick = true });

    private static DistillationOptions Alone => Rows.Quick();

    private static DistillationOptions Taught => Rows.Quick(Teacher.FromColumn("Answer"));

    private static IEnumerable<(string Name, DistillationOptions Options, string[] Words)> Validate()
    {
        foreach (var number in new[] { 0, -1, int.MinValue })
        {
            yield return ($"{number} epochs", Alone with { Epochs = number }, ["Epochs", $"{number}"]);
            yield return ($"batches of {number}", Alone with { BatchSize = number }, ["BatchSize", $"{number}"]);
        }

        foreach (var number in new[] { 0, -1, double.NaN, double.PositiveInfinity, double.NegativeInfinity })
            yield return (FormattableString.Invariant($"clipping at {number}"), Alone with { GradientClipping = number }, ["GradientClipping", FormattableString.Invariant($"{number}")]);
        foreach (var number in new[] { 1, -0.1, 1.5, double.NaN, double.PositiveInfinity })
            yield return (FormattableString.Invariant($"a validation share of {number}"), Alone with { ValidationFraction = number }, ["ValidationFraction", FormattableString.Invariant($"{number}")]);
        foreach (var number in new[] { -0.1, 1.1, double.NaN })
            yield return (FormattableString.Invariant($"a least teacher accuracy of {number}"), Taught with { MinimumTeacherAccuracy = number }, ["MinimumTeacherAccuracy", FormattableString.Invariant($"{number}")]);
        foreach (var number in new[] { 0, -0.1, double.NaN, double.PositiveInfinity })
        {
            yield return (FormattableString.Invariant($"AdamW at {number}"), Alone with { Optimizer = Optimizer.AdamW(number) }, ["learning", FormattableString.Invariant($"{number}")]);
            yield return (FormattableString.Invariant($"SGD at {number}"), Alone with { Optimizer = Optimizer.Sgd(number) }, ["learning", FormattableString.Invariant($"{number}")]);
        }

        foreach (var number in new[] { -1, double.NaN, double.PositiveInfinity })
        {
            yield return (FormattableString.Invariant($"a weight decay of {number}"), Alone with { Optimizer = Optimizer.AdamW(weightDecay: number) }, ["weight", "decay", FormattableString.Invariant($"{number}")]);
            yield return (FormattableString.Invariant($"a momentum of {number}"), Alone with { Optimizer = Optimizer.Sgd(momentum: number) }, ["momentum", FormattableString.Invariant($"{number}")]);
            yield return (FormattableString.Invariant($"{number} warm-up epochs"), Alone with { Schedule = LearningRateSchedule.Constant() with { WarmupEpochs = number } }, ["WarmUp", FormattableString.Invariant($"{number}")]);
            yield return (FormattableString.Invariant($"a cosine to {number}"), Alone with { Schedule = LearningRateSchedule.Cosine(number) }, ["final", FormattableString.Invariant($"{number}")]);
            yield return (FormattableString.Invariant($"early stopping by {number}"), Alone with { ValidationFraction = 0.2, EarlyStopping = new EarlyStopping(3, number) }, ["MinimumImprovement", FormattableString.Invariant($"{number}")]);
        }

        yield return ("steps after no epoch", Alone with { Schedule = LearningRateSchedule.Step([0]) }, ["step", "epoch"]);
        yield return ("steps out of order", Alone with { Schedule = LearningRateSchedule.Step([5, 2]) }, ["step", "epoch"]);
        yield return ("a cycle that rises for all of its time and more", Alone with { Schedule = LearningRateSchedule.OneCycle(riseFraction: 1.5) }, ["rise", "1.5"]);
        yield return ("a cycle divided by 0", Alone with { Schedule = LearningRateSchedule.OneCycle(startDivisor: 0) }, ["divisor", "0"]);
        yield return ("no patience", Alone with { ValidationFraction = 0.2, EarlyStopping = new EarlyStopping(0) }, ["Patience", "0"]);
        yield return ("early stopping without held-out rows", Alone with { EarlyStopping = new EarlyStopping() }, ["EarlyStopping", "ValidationFraction"]);
        yield return ("two sources of held-out rows", Alone with { ValidationFraction = 0.2, ValidationColumnName = "Held" }, ["ValidationFraction", "ValidationColumnName"]);
        yield return ("no student", Alone with { Student = null! }, ["Student"]);
        yield return ("no method", Alone with { Method = null! }, ["Method"]);
        yield return ("no schedule", Alone with { Schedule = null! }, ["Schedule"]);
        yield return ("no sampling", Alone with { Sampling = null! }, ["Sampling"]);
        yield return ("no cache options", Alone with { TeacherCache = null! }, ["TeacherCache"]);
        yield return ("no list of augmentations", Alone with { Augmentations = null! }, ["Augmentations"]);
        yield return ("an augmentation that is null", Alone with { Augmentations = [null!] }, ["Augmentation"]);
        yield return ("KD without a teacher", Alone with { Method = DistillationMethod.Kd() }, ["Teacher", "KD"]);
        yield return ("RCO without a route", Taught with { Method = DistillationMethod.Rco() }, ["RCO", "route"]);
        yield return ("SSKD of a column", Taught with { Method = DistillationMethod.Sskd() }, ["SSKD", "StageFeatures"]);
        yield return ("CCKD of a column without embeddings", Taught with { Method = DistillationMethod.Cckd() }, ["CCKD", "Embedding"]);
        yield return ("weights with DIST", Taught with { Method = DistillationMethod.Dist(), ExampleWeightColumnName = "Weight" }, ["DIST", "ExampleWeightColumnName"]);
        yield return ("augmentations with a teacher of rows", Taught with { Augmentations = [Augmentation.GaussianNoise(0.1)] }, ["Augmentations", "teacher"]);
        yield return ("unlabelled rows without a teacher", Alone with { MissingLabels = MissingLabels.TeacherOnly }, ["TeacherOnly", "teacher"]);
        yield return ("a value that MissingLabels lacks", Alone with { MissingLabels = (MissingLabels)9 }, ["MissingLabels", "9"]);
        yield return ("a value that MissingFeatures lacks", Alone with { MissingFeatures = (MissingFeatures)9 }, ["MissingFeatures", "9"]);
        yield return ("a value that OnCancellation lacks", Alone with { OnCancellation = (CancellationBehavior)9 }, ["OnCancellation", "9"]);
        foreach (var name in new[] { null, "", " " })
        {
            var shown = name is null ? "null" : $"'{name}'";
            yield return ($"a label column {shown}", Alone with { LabelColumnName = name! }, ["LabelColumnName"]);
            yield return ($"a feature column {shown}", Alone with { FeatureColumnName = name! }, ["FeatureColumnName"]);
            yield return ($"a score column {shown}", Alone with { ScoreColumnName = name! }, ["ScoreColumnName"]);
            yield return ($"a predicted column {shown}", Alone with { PredictedLabelColumnName = name! }, ["PredictedLabelColumnName"]);
        }

        yield return ("a weight column without a name", Alone with { ExampleWeightColumnName = "" }, ["ExampleWeightColumnName"]);
        yield return ("a validation column without a name", Alone with { ValidationColumnName = " " }, ["ValidationColumnName"]);
        yield return ("score and predicted label in one column", Alone with { ScoreColumnName = "Out", PredictedLabelColumnName = "Out" }, ["ScoreColumnName", "PredictedLabelColumnName", "Out"]);
        yield return ("a predicted label called Score", Alone with { PredictedLabelColumnName = "Score", ScoreColumnName = "Other" }, ["PredictedLabelColumnName", "Score"]);
        yield return ("a score column called as the label", Alone with { ScoreColumnName = "Class" }, ["ScoreColumnName", "LabelColumnName", "Class"]);
        yield return ("a score column called as the features", Alone with { ScoreColumnName = "Features" }, ["ScoreColumnName", "FeatureColumnName", "Features"]);
        yield return ("a predicted label called as the label", Alone with { PredictedLabelColumnName = "Class" }, ["PredictedLabelColumnName", "LabelColumnName", "Class"]);
        yield return ("a predicted label called as the features", Alone with { PredictedLabelColumnName = "Features" }, ["PredictedLabelColumnName", "FeatureColumnName", "Features"]);
        yield return ("a score column called as the weights", Alone with { ScoreColumnName = "Weight", ExampleWeightColumnName = "Weight" }, ["ScoreColumnName", "ExampleWeightColumnName", "Weight"]);
        yield return ("a predicted label called as the weights", Alone with { PredictedLabelColumnName = "Weight", ExampleWeightColumnName = "Weight" }, ["PredictedLabelColumnName", "ExampleWeightColumnName"]);
        yield return ("a score column called as the validation column", Alone with { ScoreColumnName = "Held", ValidationColumnName = "Held" }, ["ScoreColumnName", "ValidationColumnName", "Held"]);
        yield return ("label and features in one column", Alone with { LabelColumnName = "Features" }, ["LabelColumnName", "FeatureColumnName", "Features"]);
        yield return ("weights that are the label", Alone with { ExampleWeightColumnName = "Class" }, ["ExampleWeightColumnName", "LabelColumnName", "Class"]);
        yield return ("weights that are the features", Alone with { ExampleWeightColumnName = "Features" }, ["ExampleWeightColumnName", "FeatureColumnName", "Features"]);
        foreach (var (name, cache, words) in CacheFaults())
            yield return (name, Taught with { TeacherCache = cache }, words);
        yield return ("views without augmentations", Alone with { TeacherCache = new TeacherCacheOptions { AugmentedViews = 2 } }, ["AugmentedViews", "Augmentations"]);
        yield return ("two image shapes", Alone with { Student = NetworkSpec.ResNet(8, InputShape.Image(1, 8, 8), 4, 4, 8), ImageShape = InputShape.Image(3, 8, 8) }, ["image", "1×8×8", "3×8×8"]);
        yield return ("three faults at once", Alone with { Epochs = 0, BatchSize = 0, ValidationFraction = 2 }, ["Epochs", "BatchSize", "ValidationFraction"]);
    }

    private static IEnumerable<(string Name, TeacherCacheOptions Cache, string[] Words)> CacheFaults()
    {
        yield return ("a cache folder without a name", new() { Folder = " " }, ["Folder"]);
        yield return ("a cache of the top 0", new() { TopK = 0 }, ["TopK", "0"]);
        yield return ("a cache of the top -3", new() { TopK = -3 }, ["TopK", "-3"]);
        yield return ("a cache of -1 views", new() { AugmentedViews = -1 }, ["AugmentedViews", "-1"]);
        yield return ("a memory limit of -1", new() { MemoryLimit = -1 }, ["MemoryLimit", "-1"]);
        yield return ("a precision that there is not", new() { Precision = (CachePrecision)7 }, ["Precision", "7"]);
        yield return ("a reuse that there is not", new() { Mode = (CacheMode)7 }, ["Mode", "7"]);
        yield return ("reuse only without a folder", new() { Mode = CacheMode.UseOnly }, ["UseOnly", "Folder"]);
        yield return ("a data identity without a text", new() { Folder = "answers", CacheKey = "" }, ["CacheKey"]);
    }
}
