using Microsoft.ML;
using Microsoft.ML.Data;

/// <summary>A row whose values never come.</summary>
internal sealed class BusyRow
{
    [VectorType(2)]
    public float[] Features
    {
        get => Forever<float[]>();
        set { }
    }

    public static void Call(string verb, string path)
    {
        var mlContext = new MLContext(seed: 1) { TempFilePath = verb == "cost" ? path : Path.GetTempPath() };
        var rows = mlContext.Data.LoadFromEnumerable(Array.Empty<BusyRow>());
        var model = mlContext.Transforms.CopyColumns("Score", "Features").Fit(rows);
        if (verb == "cost")
            mlContext.Model.MeasureCost(model, [new BusyRow()]);
        else
            mlContext.Model.SaveAtomically(new BusyModel(model), rows.Schema, path);
    }

    private static T Forever<T>()
    {
        Console.WriteLine("busy");
        Thread.Sleep(Timeout.Infinite);
        throw new InvalidOperationException("It was to be killed.");
    }

    private sealed class BusyModel(ITransformer model) : ITransformer
    {
        public bool IsRowToRowMapper => model.IsRowToRowMapper;

        public DataViewSchema GetOutputSchema(DataViewSchema inputSchema) => model.GetOutputSchema(inputSchema);

        public IRowToRowMapper GetRowToRowMapper(DataViewSchema inputSchema) => model.GetRowToRowMapper(inputSchema);

        public IDataView Transform(IDataView input) => model.Transform(input);

        public void Save(ModelSaveContext ctx) => Forever<object>();
    }
}
