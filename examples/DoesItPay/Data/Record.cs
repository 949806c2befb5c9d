using Microsoft.ML.Data;

namespace DoesItPay.Data;

/// <summary>A row of any of the data sets: numbers, up to eight texts, and a label. ML.NET wants a property for each column.</summary>
internal sealed class Record
{
    public const int MostTexts = 8;

    /// <summary>The class; empty if it is not known.</summary>
    public string Label { get; set; } = "";

    public float[] Numbers { get; set; } = [];

    /// <summary>A probability for each class, where rows carry what is to be learnt from them.</summary>
    public float[] Target { get; set; } = [];

    public string Text1 { get => Texts[0]; set => Texts[0] = value; }

    public string Text2 { get => Texts[1]; set => Texts[1] = value; }

    public string Text3 { get => Texts[2]; set => Texts[2] = value; }

    public string Text4 { get => Texts[3]; set => Texts[3] = value; }

    public string Text5 { get => Texts[4]; set => Texts[4] = value; }

    public string Text6 { get => Texts[5]; set => Texts[5] = value; }

    public string Text7 { get => Texts[6]; set => Texts[6] = value; }

    public string Text8 { get => Texts[7]; set => Texts[7] = value; }

    internal string[] Texts { get; init; } = [];

    /// <summary>The columns of such rows.</summary>
    /// <param name="set">The data set: how many numbers and texts its rows have.</param>
    /// <param name="hasTarget">Whether the rows have targets.</param>
    public static SchemaDefinition Schema(DataSet set, bool hasTarget = false)
    {
        var schema = SchemaDefinition.Create(typeof(Record));
        int[] dimensions = set.Image is { } image ? [image.Channels, image.Height, image.Width] : [set.Train[0].Numbers.Length];
        schema[nameof(Numbers)].ColumnType = new VectorDataViewType(NumberDataViewType.Single, dimensions);
        if (hasTarget)
            schema[nameof(Target)].ColumnType = new VectorDataViewType(NumberDataViewType.Single, set.Classes.Count);
        else
            schema.Remove(schema[nameof(Target)]);
        for (var text = set.Texts + 1; text <= MostTexts; text++)
            schema.Remove(schema[$"Text{text}"]);
        return schema;
    }

    /// <summary>The same row without its label.</summary>
    public Record WithoutLabel() => new() { Numbers = Numbers, Texts = Texts };

    /// <summary>The same row with a target.</summary>
    public Record WithTarget(float[] target) => new() { Label = Label, Numbers = Numbers, Texts = Texts, Target = target };
}
