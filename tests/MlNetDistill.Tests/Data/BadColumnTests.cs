using Microsoft.ML;
using Microsoft.ML.Data;
using MlNetDistill.Tests.Support;

namespace MlNetDistill.Tests.Data;

public sealed class BadColumnTests
{
    private const string Columns = "Its columns are 'Label', 'Features', 'Weight', 'Held', 'Class', 'Doubles', 'Words'";

    private static readonly MLContext Context = Rows.Context();

    private static readonly IDataView View = Context.Transforms.Conversion.ConvertType("Doubles", "Features", DataKind.Double)
        .Append(Context.Transforms.Text.TokenizeIntoWords("Words", "Label")).Fit(Context.Keyed(Rows.Points(12))).Transform(Context.Keyed(Rows.Points(12)));

    private static IEnumerable<TestCaseData> Validate()
    {
        var good = Rows.Quick();
        yield return Case(good with { FeatureColumnName = "Nope" }, $"The feature column 'Nope' is not in the data. {Columns}; name one of them as FeatureColumnName. If a step of the pipeline adds it, give rows that have passed that step.");
        yield return Case(good with { LabelColumnName = "Nope" }, $"The label column 'Nope' is not in the data. {Columns}; name one of them as LabelColumnName. If a step of the pipeline adds it, give rows that have passed that step.");
        yield return Case(good with { ExampleWeightColumnName = "Nope" },
            $"The example weight column 'Nope' is not in the data. {Columns}; name one of them as ExampleWeightColumnName. If a step of the pipeline adds it, give rows that have passed that step.");
        yield return Case(good with { ValidationColumnName = "Nope" },
            $"The validation column 'Nope' is not in the data. {Columns}; name one of them as ValidationColumnName. If a step of the pipeline adds it, give rows that have passed that step.");
        yield return Case(good with { FeatureColumnName = "Weight" },
            "Column 'Weight' must be Vector<Single, n> or Vector<Byte, n>; found Single. Make a vector of it with mlContext.Transforms.Concatenate(\"Weight\", …).");
        yield return Case(good with { FeatureColumnName = "Label" },
            "Column 'Label' must be Vector<Single, n> or Vector<Byte, n>; found String. " +
            "Convert it with mlContext.Transforms.Text.FeaturizeText or mlContext.Transforms.Categorical.OneHotEncoding, then Concatenate.");
        yield return Case(good with { LabelColumnName = "Label" },
            "Column 'Label' must be Key<UInt32>; found String. Convert it with mlContext.Transforms.Conversion.MapValueToKey(\"Label\") earlier in the pipeline.");
        yield return Case(good with { ExampleWeightColumnName = "Held" },
            "Column 'Held' must be Single; found Boolean. Convert it with mlContext.Transforms.Conversion.ConvertType(\"Held\", outputKind: DataKind.Single).");
        yield return Case(good with { ValidationColumnName = "Weight" },
            "Column 'Weight' must be Boolean, true where a row is held out; found Single. Make one with mlContext.Transforms.CustomMapping or in the loader.");
    }

    [TestCaseSource(nameof(Validate))]
    public void A_missing_or_wrongly_typed_column_is_named_with_what_to_do(DistillationOptions options, string message) => Assert.That(
        () => Context.Fit(options, View), Throws.TypeOf<ArgumentOutOfRangeException>().With.Message.EqualTo(message + " (Parameter 'schema')"));

    [TestCaseSource(nameof(Validate))]
    public void A_pipeline_says_the_same_before_anything_is_fitted(DistillationOptions options, string message) => Assert.That(
        () => new EstimatorChain<ITransformer>().Append(Context.MulticlassClassification.Trainers.Distill(options)).Fit(View),
        Throws.TypeOf<ArgumentOutOfRangeException>().With.Message.EqualTo(message + " (Parameter 'schema')"));

    [TestCase("Doubles", "Vector<Double, 4>", "Vector<Double>")]
    [TestCase("Words", "Vector<String>", "VarVector<String>")]
    public void A_vector_of_other_items_is_to_be_converted(string column, string found, string foundBefore)
    {
        var options = Rows.Quick() with { FeatureColumnName = column };
        var trainer = Context.MulticlassClassification.Trainers.Distill(options);
        string Message(string type) => $"Column '{column}' must be Vector<Single, n> or Vector<Byte, n>; found {type}. " +
            $"Convert it with mlContext.Transforms.Conversion.ConvertType(\"{column}\", outputKind: DataKind.Single). (Parameter 'schema')";
        Assert.That(() => trainer.Fit(View), Throws.TypeOf<ArgumentOutOfRangeException>().With.Message.EqualTo(Message(found)));
        Assert.That(() => new EstimatorChain<ITransformer>().Append(trainer).Fit(View),
            Throws.TypeOf<ArgumentOutOfRangeException>().With.Message.EqualTo(Message(foundBefore)));
    }

    [Test]
    public void A_vector_of_unknown_size_is_to_be_given_one()
    {
        var view = Context.Keyed(new[] { new Loose { Label = "ash", Features = [1, 2] }, new Loose { Label = "birch", Features = [2, 1] } });
        Assert.That(() => Context.Fit(Rows.Quick(), view), Throws.TypeOf<ArgumentOutOfRangeException>().With.Message.EqualTo(
            "Column 'Features' must be Vector<Single, n> or Vector<Byte, n>, of known size; found Vector<Single>. " +
            "Give its size where it is made: in the loader's column, with [VectorType(n)], or in SchemaDefinition. (Parameter 'schema')"));
    }

    [Test]
    public void A_key_of_one_class_is_refused()
    {
        var view = Context.Keyed(Rows.Points(30).Where(p => p.Label == "ash"));
        Assert.That(() => Context.Fit(Rows.Quick(), view), Throws.TypeOf<ArgumentOutOfRangeException>().With.Message.EqualTo(
            "The label column 'Class' has 1 class; a classifier needs at least 2. Fit its MapValueToKey to data with rows of every class. (Parameter 'schema')"));
    }

    private static TestCaseData Case(DistillationOptions options, string message) => new TestCaseData(options, message).SetArgDisplayNames(message);

    private sealed class Loose
    {
        public string Label { get; set; } = "";

        [VectorType]
        public float[] Features { get; set; } = [];
    }
}
